"""Fetch the browser libraries and the font that MusicConnect serves itself, and note where they came from.

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
    package: str = ""
    minify: bool = False
    licence_text: str = ""


MIT = """MIT License

{copyright}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the
"Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish,
distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to
the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY
CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE
SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""
MINIFIER = "esbuild@0.28.2"

LIBRARIES = (
    # The light build lacks subtitles, DRM and alternative audio, none of which a track has.
    Library("hls.js", "1.7.4", "Apache-2.0", ("dist/hls.light.min.mjs", "LICENSE")),
    Library("tus-js-client", "4.3.1", "MIT", ("dist/tus.min.js", "LICENSE")),
    # Its package holds neither a minified build nor the text of its licence.
    Library(
        "turbo",
        "8.0.23",
        "MIT",
        ("dist/turbo.es2017-esm.js",),
        package="@hotwired/turbo",
        minify=True,
        licence_text=MIT.format(copyright="Copyright (c) 37signals LLC"),
    ),
    # The letters of every page: four files of which a page in English or German loads one, 30 kB.
    Library(
        "instrument-sans",
        "5.3.0",
        "OFL-1.1",
        (
            "files/instrument-sans-latin-wght-normal.woff2",
            "files/instrument-sans-latin-wght-italic.woff2",
            "files/instrument-sans-latin-ext-wght-normal.woff2",
            "files/instrument-sans-latin-ext-wght-italic.woff2",
            "LICENSE",
        ),
        package="@fontsource-variable/instrument-sans",
    ),
    # Drawn by the server onto the cards of shared links; it knows many scripts, and no browser loads it.
    Library(
        "dejavu",
        "2.37.3",
        "Bitstream-Vera",
        ("ttf/DejaVuSansCondensed-Bold.ttf", "LICENSE"),
        package="dejavu-fonts-ttf",
    ),
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
        wanted = f"{library.package or library.name}@{library.version}"
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
                if library.minify:
                    data, name = minified(data), name.replace(".js", ".min.js")
                (folder / name).write_bytes(data)
                sums[name] = hashlib.sha256(data).hexdigest()
    if library.licence_text:
        (folder / "LICENSE").write_text(library.licence_text, "utf-8")
        sums["LICENSE"] = hashlib.sha256(library.licence_text.encode()).hexdigest()
    return {"name": library.name, "version": library.version, "licence": library.licence, "sha256": sums}


def minified(data: bytes) -> bytes:
    """A script without what only people read; the notice of its licence stays."""
    return subprocess.run(
        ["npm", "exec", "--yes", "--", MINIFIER, "--minify", "--legal-comments=inline", "--charset=utf8"],  # noqa: S607
        input=data,
        check=True,
        capture_output=True,
        timeout=120,
    ).stdout


def without_source_map(data: bytes) -> bytes:
    """A file without its last line, if that names a source map: the map is not served, and browsers would ask for it."""
    body, _, last = data.rstrip(b"\n").rpartition(b"\n")
    return body + b"\n" if last.startswith(b"//# sourceMappingURL=") else data


if __name__ == "__main__":
    main()
