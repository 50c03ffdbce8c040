"""The mail server that the settings name: where it is, how to speak to it, and as whom."""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote
from urllib.parse import urlsplit

from appliance.errors import Invalid
from appliance.mail import addresses
from appliance.settings import Settings


class Security(StrEnum):
    """How the line to the server is protected, by the scheme of its address."""

    STARTTLS = "smtp"
    TLS = "smtps"
    NONE = "smtp+plain"


PORTS = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}


@dataclass(frozen=True, slots=True)
class Server:
    """The server and the address that mail comes from; *password* is never shown."""

    host: str
    port: int
    security: Security
    name: str
    password: str
    mail_from: str

    def __repr__(self) -> str:
        return f"Server({self.security}://{self.host}:{self.port})"


_server: Server | None = None


def configure(settings: Settings) -> None:
    """Take the mail server from the settings, without a look at the network; ``Invalid`` names what is wrong."""
    global _server
    _server = read(settings)


def current() -> Server | None:
    """The server of this process, or ``None`` when none is set."""
    return _server


def is_set() -> bool:
    """Whether mail leaves this node; else it waits in the outbox."""
    return _server is not None


def read(settings: Settings) -> Server | None:
    """Pure: the server that *settings* name, or ``None``."""
    if not settings.smtp_url:
        return None
    if not settings.mail_from:
        raise Invalid(
            "The setting 'mail_from' is missing; 'smtp_url' is set, and mail must come from an address.",
            field="mail_from",
        )
    parts = urlsplit(settings.smtp_url)
    try:
        port = parts.port
    except ValueError:
        port = 0
    if not parts.hostname or port == 0:
        raise Invalid("The setting 'smtp_url' needs a host, and perhaps a port.", field="smtp_url")
    security = Security(parts.scheme)
    if security is Security.NONE and parts.password:
        raise Invalid(
            "The setting 'smtp_url' would send a password without encryption; begin it with smtp:// or smtps://.",
            field="smtp_url",
        )
    if bool(parts.username) != bool(parts.password):
        raise Invalid(
            "The setting 'smtp_url' needs both a name and a password, or neither.", field="smtp_url"
        )
    try:
        mail_from = addresses.encoded(settings.mail_from)
    except Invalid as error:
        raise Invalid("The setting 'mail_from' is not an e-mail address.", field="mail_from") from error
    return Server(
        parts.hostname,
        port or PORTS[security],
        security,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        mail_from,
    )
