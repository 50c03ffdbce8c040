"""A real SMTP server (aiosmtpd) on a free port, which takes mail, wants a password, refuses, drops the line or is slow."""

from __future__ import annotations

import asyncio
import datetime
import email
import email.policy
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP
from aiosmtpd.smtp import AuthResult
from aiosmtpd.smtp import Envelope
from aiosmtpd.smtp import LoginPassword
from aiosmtpd.smtp import Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME, PASSWORD = "postmaster", "salt & vinegar/100%"


@dataclass
class Delivery:
    """A message as the server took it."""

    sender: str
    to: list[str]
    letter: EmailMessage
    by: str
    secure: bool
    raw: bytes


class Post:
    """What arrives, and how the server behaves: answers to RCPT and DATA, a pause, and dropping the line."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.recipient = "250 OK"
        self.data = "250 Message accepted for delivery"
        self.answers: list[str] = []
        """Answers to DATA in turn, before ``data``; "drop" cuts the line, "taken and drop" does so after taking the message."""
        self.pause_s = 0.0
        self.port = 0

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd looks for
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.recipient.startswith("2"):
            envelope.rcpt_tos.append(address)
        return self.recipient

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - likewise
        await asyncio.sleep(self.pause_s)
        answer = self.answers.pop(0) if self.answers else self.data
        if answer.startswith("2") or answer == "taken and drop":
            raw = envelope.original_content or b""
            self.deliveries.append(
                Delivery(
                    str(envelope.mail_from),
                    list(envelope.rcpt_tos),
                    email.message_from_bytes(raw, policy=email.policy.default),
                    str(session.auth_data or ""),
                    session.ssl is not None,
                    raw,
                )
            )
        if answer.endswith("drop"):
            server.transport.abort()
            return "421 gone"
        return answer


@contextmanager
def serving(*, tls: ssl.SSLContext | None = None, at_once: bool = False, **options: Any) -> Iterator[Post]:
    """A server with STARTTLS when *tls* is given, or TLS *at_once*; a name and password are wanted with ``auth_required``."""
    post = Post()
    loop = asyncio.new_event_loop()

    def let_in(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (
            NAME.encode(),
            PASSWORD.encode(),
        )
        # Not handled: the server itself says 535, as real ones do.
        return AuthResult(success=good, handled=False, auth_data=NAME)

    def factory() -> SMTP:
        return SMTP(
            post,
            loop=loop,
            hostname="mail.example",
            authenticator=let_in,
            tls_context=None if at_once else tls,
            **{"enable_SMTPUTF8": True, "timeout": 20, **options},
        )

    async def start() -> asyncio.Server:
        return await loop.create_server(factory, "127.0.0.1", 0, ssl=tls if at_once else None)

    # In its own thread from the first step on: where a browser is driven, this one has a loop that runs already.
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    post.port = server.sockets[0].getsockname()[1]

    async def stop() -> None:
        server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    try:
        yield post
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def certificate(folder: Path, *names: str) -> tuple[ssl.SSLContext, Path]:
    """A server's context with a certificate for *names*, and the file that makes a client trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.datetime.now(datetime.UTC)
    wanted: list[x509.GeneralName] = [x509.DNSName(name) for name in names if not name[0].isdigit()]
    wanted += [x509.IPAddress(ipaddress.ip_address(name)) for name in names if name[0].isdigit()]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(wanted), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, both = folder / "certificate.pem", folder / "both.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    both.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + public.read_bytes()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context, public
