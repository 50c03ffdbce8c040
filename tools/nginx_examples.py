"""Write the examples in ``deploy/nginx`` anew: the shipped configuration, filled in for an imaginary node."""

import tempfile
from pathlib import Path

from appliance.settings import Settings
from appliance.storage import LocalStore
from appliance.storage import open_store
from web.nginx import configuration

FOLDER = Path(__file__).resolve().parents[1] / "deploy" / "nginx"
SECRET = "an imaginary node's"  # noqa: S105 - nobody's
BUCKET = "s3://KEY:SECRET@s3.music.example/music?region=eu-west-1"


def main() -> None:
    """Write both files."""
    for name, text in examples().items():
        (FOLDER / name).write_text(text, "utf-8")


def examples() -> dict[str, str]:
    """The name of each file and its text."""
    settings = Settings(public_url="https://music.example", trusted_proxies=1)
    with tempfile.TemporaryDirectory() as name:
        folder = configuration(settings, LocalStore(Path(name)), secret=SECRET).replace(
            name, "/srv/music/media"
        )
    return {
        "folder.conf": folder,
        "bucket.conf": configuration(settings, open_store(BUCKET), secret=SECRET),
    }


if __name__ == "__main__":
    main()
