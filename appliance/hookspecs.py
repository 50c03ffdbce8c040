"""Every extension point of MusicConnect: when it is called, what may be returned, what a failure does, since when.

A plugin is a module or package declared by the entry-point group ``musicconnect``; it implements any of these
with ``@appliance.hookimpl``. Only ids, texts and numbers cross a hook, never database rows.
"""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any
from typing import Protocol

import pluggy

from appliance.observed import ErrorFacts
from appliance.observed import Span
from appliance.observed import SpansWanted
from appliance.payments import PaymentProvider
from appliance.payments import TaxableSale
from appliance.payments import TaxRate
from appliance.settings import Setting
from appliance.settings import Settings

if TYPE_CHECKING:
    import click

GROUP = "musicconnect"
hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@dataclass(frozen=True, slots=True)
class PublishedTrack:
    """A track that the public may hear from now on; *published_at* is ISO 8601 in UTC, *url* where its page is."""

    track_id: str
    release_id: str
    title: str
    artist: str
    release: str
    duration_ms: int
    published_at: str
    url: str


@dataclass(frozen=True, slots=True)
class Departure:
    """Where a browser goes to sign in elsewhere, the *state* that must come back with it, and what the way needs then (*kept*)."""

    url: str
    state: str
    kept: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ForeignAccount:
    """Who somebody is elsewhere: *issuer* and *subject* name them for good, the rest may change; *email_verified* says whose word it is."""

    issuer: str
    subject: str
    email: str = ""
    email_verified: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class WebPages:
    """Pages of a plugin: a Flask *blueprint*, and for each of its views by name whom it is for (*needs*).

    ``anybody``, ``person`` (who is signed in), or a permission such as ``payments.manage``.
    """

    blueprint: Any
    needs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks for a page of a plugin, in ``flask.g.visitor`` there: their id and the address of their account; both empty for nobody."""

    id: str = ""
    email: str = ""


class SignInWay(Protocol):
    """A place elsewhere where people have accounts; MusicConnect keeps *kept* in the browser's session and compares the state."""

    @property
    def name(self) -> str:
        """A short word for addresses and for the audit trail, such as ``oidc``."""

    @property
    def label(self) -> str:
        """What the place is called, such as ``Harbour Union``."""

    def begin(self, return_to: str) -> Departure:
        """Send somebody there, who comes back to *return_to*; ``Unavailable`` when it does not answer."""

    def finish(self, answer: Mapping[str, str], kept: Mapping[str, str], *, return_to: str) -> ForeignAccount:
        """Who it is that came back with *answer*; ``Invalid`` when it proves nothing, ``NotAllowed`` when they did not agree."""


@hookspec
def plugin_settings() -> Sequence[Setting]:  # type: ignore[empty-body]
    """Declare the settings of this plugin.

    Called once when the plugin is loaded, before any other of its hooks. Return ``Setting`` rows; their values are
    read from ``[plugins.NAME]`` in musicconnect.toml or ``MUSICCONNECT_PLUGIN_NAME__SETTING``. A wrong value gives the plugin the
    status *bad settings*: it is named, it does not run, and the server starts. Since 0.1.
    """


@hookspec
def plugin_start(settings: Settings, values: dict[str, object]) -> bool | None:
    """Take this plugin's checked *values* and look whether it can work.

    Called once for each process, after ``plugin_settings`` and before the first request or job. Open no connection
    here that can wait for long. Raise a ``MusicConnectError`` to report a failed self-check: the plugin is named with the
    sentence and does not run. Return ``False`` when there is nothing to do with these values: no other of its hooks is called then. Since 0.1.
    """


@hookspec
def register_commands(cli: "click.Group") -> None:
    """Add commands to ``musicconnect``.

    Called when the command line starts, before settings are read, so do no work here but ``cli.add_command``. A failure
    is reported on standard error and the other commands stay. Since 0.1.
    """


@hookspec(firstresult=True)
def media_url(key: str, expires_in_s: int) -> str | None:
    """Say where a player may fetch *key*, a path below the public address such as ``media/TOKEN/ASSET/master.m3u8``.

    Called whenever the address of an artwork, waveform, preview or stream is made. Return an absolute URL, or
    ``None`` to let the next plugin and at last MusicConnect itself answer; the first answer wins. Relative addresses inside a playlist must stay
    valid below the answer, and it must stop working after *expires_in_s* seconds (0: it is public). A failure falls back to
    MusicConnect's own address and is logged. Since 0.1.
    """


@hookspec
def track_published(track: PublishedTrack) -> None:
    """Learn that a track went public.

    Called once for each track in a worker, by a durable job, after the transaction that published it. Several plugins are called one after the
    other; a failure of one is logged and does not keep the others. What must not be lost belongs into a job of the plugin's own
    (``appliance.jobs.handles``), which is retried. Since 0.1.
    """


@hookspec
def sign_in_ways() -> Sequence[SignInWay]:  # type: ignore[empty-body]
    """Offer places elsewhere where people may prove who they are, instead of a password.

    Called whenever a page shows how to sign in, and on the way there and back, so answer at once and ask nobody. Return objects with the
    verbs of ``SignInWay``. A way only proves who somebody is *there*: MusicConnect decides which account here that opens, opens one where
    registration is open and the address is verified, never takes over one that exists, and asks for the second factor as always. A
    failure hides the ways of this plugin and is logged. Since 0.1.
    """


@hookspec
def mark_download(path: str, format: str, track_id: str, listener_id: str) -> None:
    """Write into the file at *path* for whom it was made; the file is a private copy and is changed in place.

    Called in a worker or a request each time a download is made for one person, after its tags and cover are complete and before the first
    byte of it leaves. *format* is its name among the downloads, such as ``flac`` or ``mp3-320``. While a plugin implements this, files are no longer
    shared by several people. Leave the sound playable and the tags of the artist as they are. Several plugins mark one after the other. A failure is not
    stepped over: the download is refused, since a copy that went out unmarked cannot be called back. Since 0.1.
    """


@hookspec
def payment_providers() -> Sequence[PaymentProvider]:  # type: ignore[empty-body]
    """Offer ways to be paid.

    Called whenever a page shows how to pay and whenever money moves, so answer at once and ask nobody. Return objects with the verbs of
    ``appliance.payments.PaymentProvider``; each verb is called outside of any transaction and has 20 seconds. Their names must never change:
    they stand in the books. A failure here hides the providers of this plugin and is logged; what a verb raises is told to who asked as a
    sentence, and nothing is half done. Since 0.1.
    """


@hookspec(firstresult=True)
def tax_rate(sale: TaxableSale) -> TaxRate | None:
    """Say which tax is part of a price.

    Called when somebody is about to pay, before they see the total, and when a payment for a membership arrives, for the tax of its day
    (``sale.paid_at``): answer from what you know and ask nobody, since payments wait meanwhile. Prices include it. Return a ``TaxRate``, or ``None`` to let the next plugin
    answer; without any answer there is no tax. A failure is not stepped over: the sale, or the event that tells of the payment, waits, since a wrong tax cannot be taken back. Since 0.1.
    """


@hookspec
def web_pages() -> WebPages | None:
    """Add pages to the website, below ``/plugins/NAME/``.

    Called once when the application is made. Return ``WebPages``, or ``None`` where there are none to show. The pages stand in the frame of
    all others (a template extends ``base.html``, and lies in a folder of the plugin's name), and the headers and the protection of forms hold
    for them too; each view says whom it is for, and MusicConnect asks before it runs. Where this fails, or a view does not say it, the pages of this plugin are left
    out and it is named in the log. Since 0.1.
    """


@hookspec
def error_noticed(error: BaseException, facts: ErrorFacts) -> None:
    """Learn of an error that nobody expected, in a request, a job or a chore.

    Called for each one in a thread of its own, after the fact: whoever asked waits for nothing. *error* comes as it was raised, with its
    stack; its text and the variables of the stack may hold personal data and secrets, so take them out before anything leaves this
    machine. A failure here is logged and keeps nobody. While a plugin hangs, up to 100 errors wait, and what comes then is lost. Since 0.1.
    """


@hookspec
def spans_wanted() -> SpansWanted | None:
    """Say which steps of traces this plugin wants to be told of; without an answer there are no traces.

    Called once for each process, after ``plugin_start``. Return ``SpansWanted`` or ``None``; of several answers the larger share and the shorter query
    count for all. A failure is logged, and counts as no answer. Since 0.1.
    """


@hookspec
def spans_ended(spans: Sequence[Span]) -> None:
    """Learn of steps that are over: requests, the time of jobs in the queue, jobs, statements of the database.

    Called about once a second in a thread of its own, with up to 500 steps of traces that are kept. They hold no ids of people or things, no
    addresses and no values. A failure is logged and keeps nobody. While a plugin hangs, up to 5,000 steps wait, and what comes then is lost. Since 0.1.
    """
