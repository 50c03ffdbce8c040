"""Secrets that lie in files, as Docker, Kubernetes and systemd hand them over: ``MUSICCONNECT_<NAME>_FILE`` names the file."""

from collections.abc import Mapping
from pathlib import Path

from appliance.errors import Invalid

ENDING = "_FILE"
MOST_BYTES = 64 * 1024


def unfolded(environ: Mapping[str, str], *, secrets: frozenset[str], of_plugins: str) -> dict[str, str]:
    """*environ* with what the files hold in place of their names.

    *secrets* are the variables that may be given so; of plugins, whose variables begin with *of_plugins*, all may. ``Invalid`` says what is
    wrong with a file, and never what it holds.
    """
    found = dict(environ)
    for key in environ:
        plain = key.removesuffix(ENDING)
        if plain == key or not (plain in secrets or (key.startswith(of_plugins) and "__" in plain)):
            continue
        if plain in environ:
            raise Invalid(
                "{one} and {other} are both set; keep one of them.", one=plain, other=key, field=_name(plain)
            )
        found[plain] = _read(Path(found.pop(key)), key)
    return found


def _read(path: Path, key: str) -> str:
    field = _name(key.removesuffix(ENDING))
    try:
        with path.open("rb") as file:
            held = file.read(MOST_BYTES + 1)
        # Editors and echo end a file with a line break that nobody means.
        secret = held.decode("utf-8").rstrip("\r\n")
    except OSError as error:
        raise Invalid(
            "{key} names the file {path}, which cannot be read: {why}.",
            key=key,
            path=path,
            why=error.strerror,
            field=field,
        ) from error
    except ValueError as error:
        # A path may hold no null byte, a text nothing that is not UTF-8.
        raise Invalid(
            "{key} names the file {path}, which holds no text.", key=key, path=path, field=field
        ) from error
    if len(held) > MOST_BYTES:
        raise Invalid(
            "{key} names the file {path}, which is too large for a secret.", key=key, path=path, field=field
        )
    if not secret.strip():
        raise Invalid("{key} names the file {path}, which is empty.", key=key, path=path, field=field)
    return secret


def _name(key: str) -> str:
    return key.partition("_")[2].lower()
