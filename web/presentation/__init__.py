"""What templates are given: finished texts and addresses, made from rows that are already there."""

from web.presentation.artists import ArtistView
from web.presentation.artists import artist
from web.presentation.desk import MasterView
from web.presentation.desk import masters
from web.presentation.desk import release_form
from web.presentation.pictures import Cover
from web.presentation.pictures import cover
from web.presentation.releases import KINDS
from web.presentation.releases import ReleaseView
from web.presentation.releases import release
from web.presentation.tracklists import TrackView
from web.presentation.tracklists import player_track
from web.presentation.tracklists import qualities
from web.presentation.tracklists import summary
from web.presentation.tracklists import tracks
from web.presentation.tracklists import waiting
from web.presentation.wording import day
from web.presentation.wording import duration
from web.presentation.wording import size

__all__ = [
    "KINDS",
    "ArtistView",
    "Cover",
    "MasterView",
    "ReleaseView",
    "TrackView",
    "artist",
    "cover",
    "day",
    "duration",
    "masters",
    "player_track",
    "qualities",
    "release",
    "release_form",
    "size",
    "summary",
    "tracks",
    "waiting",
]
