"""Fetch the browser libraries that MusicConnect serves itself, and note where they came from.

Run ``python tools/vendor_assets.py`` after changing a version in ``LIBRARIES``. It needs npm, which checks the package's own
integrity; ``manifest.json`` then holds the SHA-256 of every file as it is served, and a test compares them.
"""

import hashlib
import json
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

VENDOR = Path(__file__).resolve().parents[1] / "web" / "static" / "vendor"
MANIFEST = VENDOR / "manifest.json"


@dataclass(frozen=True)
class Library:
    """A package, its version, its licence, and which of its files the pages use."""

    name: str
    version: str
    licence: str
    files: tuple[str, ...]


LIBRARIES = (
    # The light build lacks subtitles, DRM and alternative audio, none of which a track has.
    Library("hls.js", "1.7.4", "Apache-2.0", ("dist/hls.light.min.mjs", "LICENSE")),
    Library("tus-js-client", "4.3.1", "MIT", ("dist/tus.min.js", "LICENSE")),
)


def main() -> None:
    """Fetch every library and write the manifest."""
    manifest = [vendor(library) for library in LIBRARIES]
    MANIFEST.write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")


def vendor(library: Library) -> dict[str, object]:
    """Put the files of *library* below ``static/vendor`` and return its entry in the manifest."""
    folder = VENDOR / library.name
    folder.mkdir(parents=True, exist_ok=True)
    sums: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as scratch:
        wanted = f"{library.name}@{library.version}"
        packed = subprocess.run(
            ["npm", "pack", "--silent", "--pack-destination", scratch, wanted],  # noqa: S607
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        )
        with tarfile.open(Path(scratch) / packed.stdout.strip().splitlines()[-1]) as archive:
            for path in library.files:
                member = archive.extractfile(f"package/{path}")
                if member is None:
                    raise FileNotFoundError(f"{library.name} has no file {path}")
                data = without_source_map(member.read())
                name = Path(path).name
                (folder / name).write_bytes(data)
                sums[name] = hashlib.sha256(data).hexdigest()
    return {"name": library.name, "version": library.version, "licence": library.licence, "sha256": sums}


def without_source_map(data: bytes) -> bytes:
    """A file without its last line, if that names a source map: the map is not served, and browsers would ask for it."""
    body, _, last = data.rstrip(b"\n").rpartition(b"\n")
    return body + b"\n" if last.startswith(b"//# sourceMappingURL=") else data


if __name__ == "__main__":
    main()
