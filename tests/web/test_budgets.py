"""What a first visit may weigh, and what stays of it."""

import gc
import gzip
import re
import weakref
from pathlib import Path

from flask import Flask

from tests.servers import site
from tests.servers.site import Person
from web.frame import STATIC

CSS_MOST_BYTES = 30 * 1024
FIRST_SCRIPTS_MOST_BYTES = 60 * 1024
FONTS_MOST_BYTES = 120 * 1000
SPRITE_MOST_BYTES = 6 * 1024
_STATIC_IMPORT = re.compile(r"""(?:^|[;\n}])\s*(?:import|export)\b(?:[^"'();]*?\bfrom)?\s*["']([^"']+)["']""")


def weight(path: Path) -> int:
    """Bytes as they go over the wire."""
    return len(gzip.compress(path.read_bytes(), 9))


def loaded_with(entry: Path) -> set[Path]:
    """A module and all that it imports before it runs; what is asked for by ``import()`` comes later."""
    found: set[Path] = set()
    waiting = [entry.resolve()]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        text = path.read_text("utf-8")
        waiting += [
            (path.parent / name).resolve() for name in _STATIC_IMPORT.findall(text) if name.startswith(".")
        ]
    return found


def test_all_styles_together_stay_small() -> None:
    sizes = {path.name: weight(path) for path in (STATIC / "css").rglob("*.css")}
    assert sum(sizes.values()) <= CSS_MOST_BYTES, sizes


def test_the_scripts_of_a_first_page_stay_small() -> None:
    sizes = {path.name: weight(path) for path in loaded_with(STATIC / "js" / "app.js")}
    assert sum(sizes.values()) <= FIRST_SCRIPTS_MOST_BYTES, sizes


def test_no_page_brings_more_scripts_than_a_first_page_may(app: Flask, artist: Person) -> None:
    """With the scripts of all elements that are on it, which are fetched when they are met."""
    entry = STATIC / "js" / "app.js"
    listed = re.search(r"const LAZY = \[(.*?)\]", entry.read_text("utf-8"), re.DOTALL)
    assert listed
    release = site.make_release(artist, published=True)
    browser = site.signed_in(app, artist)
    home = f"/@{release.artist.slug}"
    for address in (
        "/",
        home,
        f"{home}/{release.slug}",
        "/library",
        "/account",
        "/studio",
        f"/studio/releases/{release.id}",
    ):
        page = browser.get(address).text
        names = [name for name in re.findall(r'"([\w-]+)"', listed[1]) if f"<{name}" in page]
        scripts = loaded_with(entry).union(
            *(loaded_with(STATIC / "js" / "elements" / f"{name}.js") for name in names)
        )
        sizes = {path.name: weight(path) for path in scripts}
        assert sum(sizes.values()) <= FIRST_SCRIPTS_MOST_BYTES, (address, sum(sizes.values()), sizes)


def test_a_first_page_does_not_bring_the_streaming_library() -> None:
    assert not [path for path in loaded_with(STATIC / "js" / "app.js") if "hls" in path.name]


def test_fonts_and_icons_stay_small() -> None:
    fonts = list((STATIC / "vendor").rglob("*.woff2"))
    assert fonts
    assert sum(path.stat().st_size for path in fonts) <= FONTS_MOST_BYTES
    assert weight(STATIC / "icons.svg") <= SPRITE_MOST_BYTES


def test_styles_use_the_colours_of_the_tokens_alone() -> None:
    """Who changes a token changes all pages; black and white veils over pictures are the exception."""
    for path in sorted((STATIC / "css").rglob("*.css")):
        if path.name in {"base.css", "embed.css"}:
            continue
        found = re.findall(r"(?<![\w&-])#[0-9a-f]{3,8}\b(?![^{}]*\{)", path.read_text("utf-8"))
        assert set(found) <= {"#fff", "#000"}, (path.name, found)


def test_what_is_done_for_one_request_alone_is_let_go(app: Flask) -> None:
    def hand_out() -> None:
        """Such as a cookie, after this request."""

    kept = weakref.ref(hand_out)
    app.ensure_sync(hand_out)
    del hand_out
    for _ in range(5000):
        app.ensure_sync(lambda: None)
    gc.collect()
    assert kept() is None
