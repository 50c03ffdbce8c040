"""One message over one connection to the mail server, bounded in time; what goes wrong is told as lasting or as passing."""

import contextlib
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from email.message import EmailMessage

from appliance.errors import Invalid
from appliance.errors import MusicConnectError
from appliance.errors import Unavailable
from appliance.mail import addresses
from appliance.mail.rendering import one_line
from appliance.mail.server import Security
from appliance.mail.server import Server

TIMEOUT_S = 15.0
"""For one answer of the server."""
LONGEST_S = 60.0
"""For the whole conversation: a timeout begins anew with each byte."""
LASTING = 500
MOST_SAID = 300


def deliver(server: Server, letter: EmailMessage | None, *, to: str, timeout_s: float = TIMEOUT_S) -> None:
    """Hand *letter* to the server.

    ``Invalid`` when it refuses this message for good (5xx), ``Unavailable`` for everything that may be well later: the line, a 4xx, a
    password that it does not take.
    """
    try:
        with _conversation(server, timeout_s) as line:
            if letter is not None:
                _send(server, line, letter, to)
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        raise _refused(server, code, said) from error
    except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
        raise _refused(server, error.smtp_code, error.smtp_error) from error
    except smtplib.SMTPAuthenticationError as error:
        raise Unavailable(
            "The mail server {host} does not take the name and password of the setting 'smtp_url'.",
            host=server.host,
        ) from error
    except smtplib.SMTPNotSupportedError as error:
        raise Unavailable(
            "The mail server {host} offers no sign-in; take name and password out of the setting 'smtp_url'.",
            host=server.host,
        ) from error
    except ssl.SSLCertVerificationError as error:
        raise Unavailable(
            "The certificate of the mail server {host} is not good: {why}.",
            host=server.host,
            why=error.verify_message,
        ) from error
    except TimeoutError as error:
        raise Unavailable("The mail server {host} did not answer in time.", host=server.host) from error
    except smtplib.SMTPResponseException as error:
        # A greeting that is a refusal is about us or the moment, not about this message.
        raise Unavailable(
            "The mail server {host} refused the conversation ({code}).",
            host=server.host,
            code=error.smtp_code,
        ) from error
    except (smtplib.SMTPException, OSError) as error:
        raise Unavailable("The mail server {host} cannot be reached.", host=server.host) from error


def look(server: Server, *, timeout_s: float = TIMEOUT_S) -> None:
    """Greet the server, sign in and leave: ``Unavailable`` says why mail could not be sent now."""
    deliver(server, None, to="", timeout_s=timeout_s)


def _send(server: Server, line: smtplib.SMTP, letter: EmailMessage, to: str) -> None:
    options: list[str] = []
    if addresses.needs_utf8(to + server.mail_from):
        if not line.has_extn("smtputf8"):
            raise Invalid(
                "The mail server {host} takes no address with letters beyond a to z before the @ (SMTPUTF8).",
                host=server.host,
            )
        options = ["SMTPUTF8", "BODY=8BITMIME"]
    line.sendmail(server.mail_from, [to], letter.as_bytes(), mail_options=options)


@contextlib.contextmanager
def _conversation(server: Server, timeout_s: float) -> Iterator[smtplib.SMTP]:
    line = _opened(server, timeout_s)
    late = threading.Event()
    watchdog = threading.Timer(LONGEST_S, _cut, (line.sock, late))
    watchdog.daemon = True
    watchdog.start()
    try:
        line.ehlo_or_helo_if_needed()
        if server.security is Security.STARTTLS:
            if not line.has_extn("starttls"):
                raise Unavailable(
                    "The mail server {host} offers no encryption (STARTTLS); smtps:// in the setting 'smtp_url' may be right.",
                    host=server.host,
                )
            # Demanded, never only tried: who sits on the line could take the offer away.
            line.starttls(context=ssl.create_default_context())
        if server.name:
            line.login(server.name, server.password)
        yield line
        # The message is taken; how we part is of no interest.
        with contextlib.suppress(smtplib.SMTPException, OSError):
            line.quit()
    except (smtplib.SMTPServerDisconnected, OSError) as error:
        if late.is_set():
            raise TimeoutError from error
        raise
    finally:
        watchdog.cancel()
        line.close()


def _opened(server: Server, timeout_s: float) -> smtplib.SMTP:
    ourselves = server.mail_from.rpartition("@")[2]
    if server.security is Security.TLS:
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(
            server.host, server.port, local_hostname=ourselves, timeout=timeout_s, context=context
        )
    return smtplib.SMTP(server.host, server.port, local_hostname=ourselves, timeout=timeout_s)


def _refused(server: Server, code: int, said: bytes | str) -> MusicConnectError:
    """What the server says of this message: lasting from 500 on, else passing."""
    text = one_line(said.decode("utf-8", "replace") if isinstance(said, bytes) else said)[:MOST_SAID]
    kind = Invalid if code >= LASTING else Unavailable
    return kind(
        "The mail server {host} refused the message: {code} {said}", host=server.host, code=code, said=text
    )


def _cut(sock: socket.socket | None, late: threading.Event) -> None:
    late.set()
    with contextlib.suppress(OSError, AttributeError):
        # The plain socket's method: the one of TLS would drop its state under the feet of the reading thread.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # type: ignore[arg-type]
