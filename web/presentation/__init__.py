"""What templates are given: finished texts and addresses, made from rows that are already there."""

from web.presentation.artists import ArtistCard
from web.presentation.artists import ArtistView
from web.presentation.artists import artist
from web.presentation.artists import artist_card
from web.presentation.details import CreditLine
from web.presentation.details import Lyrics
from web.presentation.details import credit_lines
from web.presentation.details import credits
from web.presentation.details import lyrics
from web.presentation.licensing import licence
from web.presentation.pictures import Cover
from web.presentation.pictures import cover
from web.presentation.pictures import picture
from web.presentation.releases import KINDS
from web.presentation.releases import ReleaseCard
from web.presentation.releases import ReleaseView
from web.presentation.releases import TrackLink
from web.presentation.releases import by_kind
from web.presentation.releases import neighbour
from web.presentation.releases import release
from web.presentation.releases import release_card
from web.presentation.releases import track_link
from web.presentation.rights import RightView
from web.presentation.rights import right
from web.presentation.subjects import TopicView
from web.presentation.subjects import topics
from web.presentation.tracklists import TrackView
from web.presentation.tracklists import extent
from web.presentation.tracklists import player_track
from web.presentation.tracklists import qualities
from web.presentation.tracklists import summary
from web.presentation.tracklists import track
from web.presentation.tracklists import tracks
from web.presentation.tracklists import waiting
from web.presentation.wording import day
from web.presentation.wording import duration
from web.presentation.wording import size

__all__ = [
    "KINDS",
    "ArtistCard",
    "ArtistView",
    "Cover",
    "CreditLine",
    "Lyrics",
    "ReleaseCard",
    "ReleaseView",
    "RightView",
    "TopicView",
    "TrackLink",
    "TrackView",
    "artist",
    "artist_card",
    "by_kind",
    "cover",
    "credit_lines",
    "credits",
    "day",
    "duration",
    "extent",
    "licence",
    "lyrics",
    "neighbour",
    "picture",
    "player_track",
    "qualities",
    "release",
    "release_card",
    "right",
    "size",
    "summary",
    "topics",
    "track",
    "track_link",
    "tracks",
    "waiting",
]
