"""The keys of an encrypted backup, all made of the setting ``backup_key``: for the names of pieces, for pieces, for documents.

AES-256-GCM throughout. Each piece has a key of its own, made of the SHA-256 of what is in it, and a nonce by chance. A piece that took
another's place, or a document that was renamed, does not open. How many pieces an object has, and which, is in the snapshot, which is one
document: so what is cut off is missed.
"""

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SALT_BYTES = 32
NONCE_BYTES = 12
OVERHEAD_BYTES = NONCE_BYTES + 16
LEAST_CHARACTERS = 32


class NotOurs(ValueError):
    """The bytes were not sealed with this key, or not for this use."""


class Keyring:
    """What opens and seals one repository, whose *salt* is no secret."""

    def __init__(self, key: str, salt: bytes) -> None:
        def derived(use: bytes) -> bytes:
            made = HKDF(hashes.SHA256(), 32, salt, b"musicconnect backup 1 " + use)
            return made.derive(key.encode())

        self._names, self._pieces = derived(b"names"), derived(b"pieces")
        self._documents = AESGCM(derived(b"documents"))
        self.proof = derived(b"proof").hex()
        """Stands in the open, and tells whether a key is the right one."""

    def name(self, digest: bytes) -> str:
        """The name of the piece with this SHA-256; it tells nobody else what is in it."""
        return hmac.digest(self._names, digest, hashlib.sha256).hex()

    def seal_piece(self, digest: bytes, body: bytes) -> bytes:
        """*body* as it is stored."""
        return _sealed(self._key_of(digest), body, digest)

    def open_piece(self, digest: bytes, sealed: bytes) -> bytes:
        """What ``seal_piece`` was given. Raises ``NotOurs``."""
        return _opened(self._key_of(digest), sealed, digest)

    def seal_document(self, name: str, body: bytes) -> bytes:
        """*body* as it is stored under *name*."""
        return _sealed(self._documents, body, name.encode())

    def open_document(self, name: str, sealed: bytes) -> bytes:
        """What ``seal_document`` was given for this name. Raises ``NotOurs``."""
        return _opened(self._documents, sealed, name.encode())

    def _key_of(self, digest: bytes) -> AESGCM:
        return AESGCM(hmac.digest(self._pieces, digest, hashlib.sha256))


def _sealed(key: AESGCM, body: bytes, about: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + key.encrypt(nonce, body, about)


def _opened(key: AESGCM, sealed: bytes, about: bytes) -> bytes:
    try:
        return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about)
    except (InvalidTag, ValueError) as error:
        raise NotOurs from error
