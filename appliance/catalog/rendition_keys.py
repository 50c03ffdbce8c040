"""The keys of encrypted rungs: made for one rendition, at rest only wrapped by a master key (AES-256-GCM), which can be changed.

A wrapped key is bound to its track, run and quality, so that it opens nothing when it is moved to another row. A master key is the setting
``media_master_key`` or, without one, the node's secret key; what wraps is derived from it (HKDF, RFC 5869) and has a name that tells nothing of it.
"""

import base64
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import peewee
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from appliance.catalog.models import Rendition
from appliance.catalog.models import RenditionKey
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.catalog.sealing import Layout
from appliance.database import transaction
from appliance.errors import Unavailable
from appliance.settings import Settings

_NONCE_BYTES = 12
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Ring:
    """The master keys by their names: the *present* one wraps, any of them unwraps."""

    present: str
    keys: Mapping[str, bytes]

    def wrap(self, key: bytes, rendition: Rendition) -> str:
        """The key as it may be stored, under the present master key."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(self.keys[self.present]).encrypt(nonce, key, _place(rendition, self.present))
        return base64.b64encode(nonce + sealed).decode("ascii")

    def unwrap(self, row: RenditionKey, rendition: Rendition) -> bytes:
        """The key itself; ``Unavailable`` with the mend when its master key is not there, or the row was tampered with."""
        if row.master not in self.keys:
            raise Unavailable(
                "The master key '{name}' of this track is not set; give it as 'media_master_key_former'.",
                name=row.master,
            )
        try:
            data = base64.b64decode(row.wrapped, validate=True)
            nonce, sealed = data[:_NONCE_BYTES], data[_NONCE_BYTES:]
            return AESGCM(self.keys[row.master]).decrypt(nonce, sealed, _place(rendition, row.master))
        except (InvalidTag, ValueError) as error:
            raise Unavailable(
                "The key of this track is damaged; restore the database, or transcode it anew."
            ) from error


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted rung and what opens it."""

    key: bytes
    layout: Layout
    clear_sha256: str


def ring(settings: Settings, secret: str) -> Ring:
    """The master keys of this node: the one that is set, the one of before, and the one made of the secret key."""
    return _ring(settings.media_master_key, settings.media_master_key_former, secret)


def keep(rendition: Rendition, sealed: Sealed, ring: Ring) -> None:
    """Store what opens *rendition*, once; inside the transaction that stores the rendition."""
    RenditionKey.insert(
        rendition=rendition.id,
        master=ring.present,
        wrapped=ring.wrap(sealed.key, rendition),
        layout=str(sealed.layout),
        clear_sha256=sealed.clear_sha256,
    ).on_conflict_ignore().execute()


def find(track_id: str, run_id: str, quality: str, ring: Ring) -> Sealed | None:
    """What opens this rung, or None when it is stored in clear or there is no such rung."""
    rows = _of_run(track_id, run_id).where(Rendition.quality == quality)
    row = rows.first()
    if row is None:
        return None
    return Sealed(ring.unwrap(row, row.rendition), Layout.read(row.layout), row.clear_sha256)


def is_sealed(track: Track) -> bool:
    """True when the run of *track* that counts is stored encrypted."""
    return bool(track.run_id) and bool(_of_run(track.id, track.run_id).exists())


def unlike_their_tracks() -> list[str]:
    """Ids of the tracks that are exclusive and stored in clear, or open and stored encrypted."""
    of_run = (Rendition.track == Track.id) & (Rendition.run_id == Track.run_id)
    key = RenditionKey.select(RenditionKey.id).join(Rendition).where(of_run)
    wrong = (Track.exclusive & ~peewee.fn.EXISTS(key)) | (~Track.exclusive & peewee.fn.EXISTS(key))
    query = Track.select(Track.id).where(Track.state == TrackState.READY, Track.run_id != "", wrong)
    return [row.id for row in query.order_by(Track.id)]


def rewrap(ring: Ring) -> tuple[int, int]:
    """Wrap every key that another master key wraps by the present one; how many were, and how many could not be unwrapped and stay."""
    done = failed = last = 0
    while True:
        with transaction():
            query = RenditionKey.select(RenditionKey, Rendition).join(Rendition).order_by(RenditionKey.id)
            page = list(query.where(RenditionKey.master != ring.present, RenditionKey.id > last).limit(_PAGE))
            for row in page:
                try:
                    wrapped = ring.wrap(ring.unwrap(row, row.rendition), row.rendition)
                except Unavailable:
                    failed += 1
                    continue
                RenditionKey.update(master=ring.present, wrapped=wrapped).where(
                    RenditionKey.id == row.id
                ).execute()
                done += 1
        if not page:
            return done, failed
        last = page[-1].id


def by_master() -> Mapping[str, int]:
    """How many keys each master key wraps."""
    return Counter(row.master for row in RenditionKey.select(RenditionKey.master))


def _of_run(track_id: str, run_id: str) -> "peewee.ModelSelect[RenditionKey]":
    query = RenditionKey.select(RenditionKey, Rendition).join(Rendition)
    return query.where(Rendition.track == track_id, Rendition.run_id == run_id)


def _place(rendition: Rendition, master: str) -> bytes:
    return f"{master}|{rendition.track_id}|{rendition.run_id}|{rendition.quality}".encode()


@lru_cache(maxsize=8)
def _ring(present: str, former: str, secret: str) -> Ring:
    made = [
        (_derived(text, b"name", 8).hex(), _derived(text, b"wrap", 32))
        for text in (present or secret, former, secret)
        if text
    ]
    return Ring(made[0][0], dict(made))


def _derived(text: str, purpose: bytes, length: int) -> bytes:
    info = b"musicconnect.rendition_keys." + purpose
    return HKDF(SHA256(), length, salt=None, info=info).derive(text.encode())
