"""Make the list of passwords that everybody guesses first, from the one that zxcvbn-ts collected, and note where it came from.

Run ``python tools/vendor_passwords.py`` after changing the version. It needs npm, which checks the package's own integrity. The list
is kept as sorted beginnings of hashes: five bytes a password instead of its text, and looked up without reading it into objects.
"""

import hashlib
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

from appliance.accounts import common_passwords
from appliance.accounts.passwords import LENGTH

PACKAGE, VERSION, LICENCE = "@zxcvbn-ts/language-common", "4.1.3", "MIT"
FOLDER = Path(common_passwords.__file__).parent / "wordlist"


def main() -> None:
    """Fetch the list and write it, its licence and its manifest."""
    with tempfile.TemporaryDirectory() as scratch:
        packed = subprocess.run(
            ["npm", "pack", "--silent", "--pack-destination", scratch, f"{PACKAGE}@{VERSION}"],  # noqa: S607
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        )
        with tarfile.open(Path(scratch) / packed.stdout.strip().splitlines()[-1]) as archive:
            source, licence = (
                archive.extractfile(f"package/{name}").read()  # type: ignore[union-attr]
                for name in ("src/passwords.json", "LICENSE.txt")
            )
    # What is shorter is refused for its length anyway.
    words = {word.lower() for word in json.loads(source) if len(word) >= LENGTH[0]}
    data = b"".join(sorted({common_passwords.mark(word) for word in words}))
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "passwords.bin").write_bytes(data)
    (FOLDER / "LICENSE").write_bytes(licence)
    manifest = {
        "name": PACKAGE,
        "version": VERSION,
        "licence": LICENCE,
        "passwords": len(data) // common_passwords.WIDTH,
        "source_sha256": hashlib.sha256(source).hexdigest(),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    (FOLDER / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
