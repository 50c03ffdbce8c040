"""Encrypting a rung that was verified, and proving at once that decrypting gives back what was verified, byte for byte."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from appliance.catalog import sealing
from appliance.catalog.rendition_keys import Sealed
from appliance.catalog.sealing import Layout
from transcoder import verification
from transcoder.failures import Interrupted
from transcoder.playlist import Segment


def seal(media: Path, *, header_bytes: int, segments: Sequence[Segment]) -> Sealed:
    """Put the encrypted form of a rung in the place of the clear one, under a key of its own; what opens it again."""
    layout = Layout(header_bytes, tuple(segment.size_bytes for segment in segments))
    key = sealing.new_key()
    target = media.with_name(f"{media.name}.sealed")
    try:
        with media.open("rb") as clear, target.open("wb") as sealed:
            told = sealing.seal(clear, sealed, layout=layout, key=key)
        with target.open("rb") as sealed, Path(os.devnull).open("wb") as nowhere:
            again = sealing.unseal(sealed, nowhere, layout=layout, key=key)
    except sealing.Damaged as error:
        raise Interrupted(verification.NOT_AS_GIVEN, detail=f"{media.name}: {error}") from error
    if told != again:
        raise Interrupted(verification.NOT_AS_GIVEN, detail=f"{media.name} is another one after decryption")
    target.replace(media)
    return Sealed(key, layout, told)


def unseal(source: Path, target: Path, opener: Sealed) -> None:
    """Write the clear form of an encrypted rung; ``Interrupted`` unless it is what was once verified."""
    try:
        with source.open("rb") as sealed, target.open("wb") as clear:
            found = sealing.unseal(sealed, clear, layout=opener.layout, key=opener.key)
    except sealing.Damaged as error:
        raise Interrupted(verification.NOT_AS_GIVEN, detail=f"{source.name}: {error}") from error
    if found != opener.clear_sha256:
        raise Interrupted(verification.NOT_AS_GIVEN, detail=f"{source.name} is damaged")
