"""Addresses as mail servers read them: the domain in ASCII (IDNA 2008), the part before it as it is."""

from email.headerregistry import Address

import idna

from appliance.errors import Invalid
from appliance.mail.rendering import one_line


def encoded(address: str) -> str:
    """*address* with its domain in ASCII; ``Invalid`` for what no mail server would take.

    The part before the @ stays as it is: only a server that speaks SMTPUTF8 takes one that is not ASCII.
    """
    name, _, domain = address.strip().rpartition("@")
    try:
        ascii_domain = idna.encode(domain, uts46=True).decode("ascii")
        written = Address(username=name, domain=ascii_domain).addr_spec
    except (idna.IDNAError, ValueError, IndexError, UnicodeError) as error:
        raise Invalid("This is not an e-mail address.", field="email") from error
    if not name or one_line(written) != written or len(written.encode()) > 320:
        raise Invalid("This is not an e-mail address.", field="email")
    return written


def needs_utf8(address: str) -> bool:
    """Pure: whether only a server that speaks SMTPUTF8 (RFC 6531) takes this address."""
    return not address.isascii()
