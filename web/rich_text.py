"""Rich texts: CommonMark that people write, as HTML that cannot hurt anybody who reads it."""

from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

TAGS = {
    "a",
    "blockquote",
    "br",
    "code",
    "em",
    "h2",
    "h3",
    "h4",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "strong",
    "ul",
}
ATTRIBUTES = {"a": {"href", "title"}}
SCHEMES = {"http", "https", "mailto"}
HEADINGS = {
    2: {"h1": "h2", "h5": "h4", "h6": "h4"},
    3: {"h1": "h3", "h2": "h3", "h3": "h4", "h5": "h4", "h6": "h4"},
}
"""A text stands inside a page that has its own first headings: which of the text's becomes which, by the level it begins with."""

# Raw HTML is text; a line break that was typed is one that is meant.
_markdown = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("strikethrough")


@lru_cache(maxsize=512)
def rendered(text: str, top: int = 3) -> Markup:
    """*text* as safe HTML, its headings from level *top* on: only these tags, links only to the web and mail, marked as not ours (``nofollow``, ``ugc``)."""
    tokens = _markdown.parse(text)
    for token in tokens:
        token.tag = HEADINGS[top].get(token.tag, token.tag)
    html = _markdown.renderer.render(tokens, _markdown.options, {})
    return Markup(  # noqa: S704 - cleaned right here
        nh3.clean(
            html, tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES, link_rel="nofollow ugc noopener"
        )
    )
