"""What others show of us: players in foreign pages, cards, feeds, and the lists that search engines read. All of it is public."""

from web.sharing import cards
from web.sharing import embeds
from web.sharing import episodes
from web.sharing import feeds
from web.sharing import oembed
from web.sharing import sitemap
from web.sharing.routing import blueprint

__all__ = ["blueprint", "cards", "embeds", "episodes", "feeds", "oembed", "sitemap"]
