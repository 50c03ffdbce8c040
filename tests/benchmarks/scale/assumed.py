"""What cannot be measured on one machine: how listeners act, what machines there are, what they cost. Change these and make the paper anew."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field

from transcoder.ladder import SEGMENT_S
from web.gate import KEPT_S


@dataclass(frozen=True)
class Habits:
    """How one listener acts, on average, while music plays."""

    track_s: int = 210
    report_s: int = 15
    """The player tells so often what was heard (``EVERY_MS`` in ``web/static/js/player/events.js``)."""
    read_s: int = 60
    page_s: int = 120
    segment_s: int = SEGMENT_S
    gate_s: int = KEPT_S
    renditions: dict[str, float] = field(
        default_factory=lambda: {"low": 0.3, "medium": 0.4, "high": 0.2, "lossless": 0.1}
    )
    """What they hear it in, by share."""


@dataclass(frozen=True)
class Machine:
    """A server that is rented by the month."""

    name: str
    cores: int
    gbit: float
    euro: float


@dataclass(frozen=True)
class Prices:
    """In euro, without tax. They stand for an order of magnitude, and for nobody's list."""

    on: str = "2026-11"
    small: Machine = Machine("small", 8, 1.0, 60.0)
    large: Machine = Machine("large", 16, 10.0, 180.0)
    transit_tb: float = 1.0
    """A terabyte that leaves by one's own lines, beyond what a server's price has in it."""
    edge_tb: float = 5.0
    """A terabyte that a network of edges hands out."""
    stored_tb: float = 8.0
    """A terabyte in an object store for a month, with its copies."""


@dataclass(frozen=True)
class Goal:
    """What the paper is for."""

    listeners: int = 100_000
    requests: int = 50_000
    stored_tb: float = 100.0
    month_tb: float = 1000.0


@dataclass(frozen=True)
class Step:
    """So many machines, and how many cores each part has of them: those of one machine are shared out where parts share it."""

    name: str
    machines: int
    fronts: int
    """Machines that hand out sound."""
    web_cores: float
    nginx_cores: float
    postgresql_cores: float
    """Of the primary."""
    readers: int
    """Replicas that visitors read from."""


BUSY = 0.6
"""How much of a core or a line is planned with: what is beyond is for peaks, and for the day on which a machine is missing."""
EDGE = 0.95
"""How much of the sound and the pictures a network of edges hands out by itself."""
MONTH_S = 30 * 86_400
STEPS = (
    Step("1 node (`one.yml`)", 1, 1, 4, 1, 1.5, 0),
    Step("3 nodes (`three.yml`)", 3, 2, 12, 2, 3, 0),
    Step("6 nodes (`six.yml`)", 6, 2, 12, 4, 7, 0),
    Step("12 nodes (`twelve.yml`)", 12, 2, 24, 16, 7, 1),
)
