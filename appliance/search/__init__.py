"""Finding things by words: texts folded the same way for both engines, and an index of each kind of thing."""

from appliance.search.index import ARTISTS
from appliance.search.index import INDEXES
from appliance.search.index import RELEASES
from appliance.search.index import TAGS
from appliance.search.index import TRACKS
from appliance.search.index import Entry
from appliance.search.index import SearchIndex
from appliance.search.words import folded
from appliance.search.words import words

__all__ = ["ARTISTS", "INDEXES", "RELEASES", "TAGS", "TRACKS", "Entry", "SearchIndex", "folded", "words"]
