"""``musicconnect doctor``: everything an operator can get wrong, and the mend for each.

A check is a function that returns what it found, or raises a ``MusicConnectError`` whose sentence says what is wrong and how to mend it. The
transcoder and the web register theirs with ``check`` when they are loaded.
"""

import os
import shutil
import socket
import stat
import sys
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from ipaddress import ip_address

import click
import peewee

from appliance import clock
from appliance import database
from appliance import hooks
from appliance import jobs
from appliance import sandbox
from appliance import startup
from appliance.accounts import audit_chain
from appliance.accounts import people
from appliance.catalog import pictures
from appliance.errors import Invalid
from appliance.errors import MusicConnectError
from appliance.errors import Unavailable
from appliance.hooks import Status
from appliance.invocation import data_option
from appliance.invocation import settings_from
from appliance.ledger import alarms
from appliance.mail import outbox
from appliance.mail import server as mail_server
from appliance.mail import smtp
from appliance.settings import Settings
from appliance.storage import open_store

Check = Callable[[Settings], str]
PACKAGES = ("appliance", "plugins", "transcoder", "web")
LEAST_FREE_BYTES = 1024**3
LONG_WAIT_S = 600


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: a sentence that says it is well, or the error whose sentence says the mend."""

    name: str
    sentence: str = ""
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class _Check:
    look: Check
    connect: Callable[[Settings], object] | None


_checks: dict[str, _Check] = {}


def check(name: str, *, connect: Callable[[Settings], object] | None = None) -> Callable[[Check], Check]:
    """Declare a check under the name that is shown; they run in the order they were declared.

    *connect* makes what the check looks at. A process that runs is connected already, and must not be anew.
    """

    def register(function: Check) -> Check:
        _checks[name] = _Check(function, connect)
        return function

    return register


def findings(settings: Settings, *, connect: bool) -> Iterator[Finding]:
    """Every check, one after the other; with *connect* for a process that has not been started."""
    for name, declared in _checks.items():
        try:
            if connect and declared.connect:
                declared.connect(settings)
            yield Finding(name, declared.look(settings))
        except (MusicConnectError, OSError, peewee.PeeweeException) as error:
            # Also what no check foresaw, a full disk say: one thing that is wrong must not hide the others.
            told = database.unavailable(error) if isinstance(error, peewee.PeeweeException) else error
            yield Finding(name, str(told), told)


@click.command(short_help="Check what can be wrong, and say the mend.")
@data_option
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Check what can be wrong with this node and say how to mend it; exit code 1 when something is."""
    settings = settings_from(ctx)
    wrong = 0
    for finding in findings(settings, connect=True):
        wrong += finding.error is not None
        click.echo(f"{'WRONG' if finding.error else 'ok   '} {finding.name}: {finding.sentence}")
    click.echo("All is well." if not wrong else f"{wrong} thing(s) to mend.")
    ctx.exit(1 if wrong else 0)


@check("python")
def _python(settings: Settings) -> str:
    return f"Python {sys.version.split()[0]}"


@check("packages")
def _packages(settings: Settings) -> str:
    owners = packages_distributions()
    for name in PACKAGES:
        others = sorted(set(owners.get(name, [])) - {"musicconnect"})
        if others:
            raise Invalid(
                f"The distribution {others[0]} also installs '{name}'; remove it: pip uninstall {others[0]}."
            )
    return "no other distribution owns ours"


@check("data folder")
def _data(settings: Settings) -> str:
    startup.make_data_folder(settings)
    free = shutil.disk_usage(settings.data).free
    if free < LEAST_FREE_BYTES:
        raise Unavailable(
            f"Only {free // 1024**2} MiB are free in {settings.data}; make room or set 'data' to a larger disk."
        )
    return f"{settings.data}, {free // 1024**3} GiB free"


@check("secret key")
def _secret(settings: Settings) -> str:
    if settings.secret_key:
        if len(settings.secret_key) < 32:
            raise Invalid(
                "The setting 'secret_key' is shorter than 32 characters; remove it, and a good one is made."
            )
        return "from the settings"
    startup.secret_key(settings)
    path = settings.data / startup.SECRET_FILE
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Invalid(f"Others can read the secret key; run: chmod 600 {path}")
    return "in the data folder, readable by its owner only"


@check(
    "database",
    connect=startup.connect_database,
)
def _database(settings: Settings) -> str:
    database.check()
    return "answers and is up to date"


@check(
    "queue",
    connect=lambda settings: jobs.configure(startup.queue_url(settings), secret=startup.secret_key(settings)),
)
def _queue(settings: Settings) -> str:
    return f"answers, {jobs.check()} message(s) wait"


@check("storage")
def _storage(settings: Settings) -> str:
    open_store(startup.store_url(settings)).check()
    return "keeps and gives back what is put there"


@check("jobs")
def _jobs(settings: Settings) -> str:
    failed = jobs.page(state="failed", limit=100)
    waiting = jobs.page(state="queued", limit=1000)
    due = [job for job in waiting if (clock.now() - job.run_after).total_seconds() > LONG_WAIT_S]
    if due and not jobs.page(state="running", limit=1):
        raise Unavailable(
            f"{len(due)} job(s) wait for more than ten minutes and none runs; start 'musicconnect worker'."
        )
    return f"{len(waiting)} waiting, {len(failed)} failed" + (
        " ('musicconnect jobs --state failed')" if failed else ""
    )


@check("mail", connect=lambda settings: _greet_mail_server(settings))
def _mail(settings: Settings) -> str:
    waiting, problem = outbox.in_trouble()
    if waiting:
        raise Unavailable(f"{waiting} message(s) could not be sent yet. {problem}")
    place = mail_server.read(settings)
    return f"goes to {place.host}" if place else "no server is set: messages wait in the outbox of the admins"


def _greet_mail_server(settings: Settings) -> None:
    place = mail_server.read(settings)
    if place:
        smtp.look(place)


@check("audit trail")
def _audit(settings: Settings) -> str:
    wrong = audit_chain.glance(secret=startup.secret_key(settings))
    if wrong:
        raise Invalid(wrong)
    return "ends where it was sealed ('musicconnect audit verify' looks at all of it)"


@check("books")
def _books(settings: Settings) -> str:
    last = alarms.latest()
    if last is None:
        return "not checked yet; they are every night ('musicconnect ledger check')"
    if last.differences:
        first = alarms.told(last)[0]
        raise Invalid(
            "The books do not add up in {count} place(s), by the check of {day}; the first is {row}: {first} Run: musicconnect ledger check.",
            count=last.differences,
            day=last.ended_at.date().isoformat(),
            row=first.row,
            first=first.sentence,
        )
    return f"add up, by the check of {last.ended_at:%Y-%m-%d %H:%M} UTC"


@check("plugins", connect=startup.load_plugins)
def _plugins(settings: Settings) -> str:
    loaded = hooks.plugins()
    for plugin in loaded:
        if plugin.status not in {Status.READY, Status.DISABLED}:
            raise Invalid(f"'{plugin.name}' does not run ({plugin.status}): {plugin.explanation}")
    return ", ".join(f"{plugin.name} {plugin.status}" for plugin in loaded) or "none"


@check("address")
def _address(settings: Settings) -> str:
    require_safe_address(settings)
    if settings.public_url and not settings.public_url.startswith(("http://", "https://")):
        raise Invalid("The setting 'public_url' must begin with https:// (or http://).")
    if settings.public_url.startswith("http://") and not is_loopback(settings.host):
        raise Invalid(
            "The setting 'public_url' is without TLS; put a proxy with a certificate in front and write https://."
        )
    if settings.public_url.startswith("https://") and not settings.trusted_proxies:
        raise Invalid(
            "'public_url' is https, so a proxy must stand in front; set 'trusted_proxies' to how many (mostly 1)."
        )
    return (
        f"{settings.public_url or 'as the request says'}, listening on {settings.host} port {settings.port}"
    )


@check("sandbox")
def _sandbox(settings: Settings) -> str:
    sandbox.use(settings.sandbox)
    wall = sandbox.chosen()
    pictures.check()
    if wall is sandbox.Wall.OFF and settings.sandbox == sandbox.AUTO:
        raise Unavailable(
            "What strangers send is decoded with limits alone: neither bubblewrap nor Landlock works here. "
            "Install bubblewrap, or set 'sandbox' to off if that is meant."
        )
    return (
        f"{wall} stands around the decoders" if wall is not sandbox.Wall.OFF else "off, as the setting says"
    )


@check("open files")
def _files(settings: Settings) -> str:
    limit = os.sysconf("SC_OPEN_MAX")
    if limit < 1024:
        raise Unavailable(f"Only {limit} files may be open at once; raise it: ulimit -n 65536.")
    return f"{limit} may be open at once"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach *host*."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        try:
            return ip_address(socket.gethostbyname(host)).is_loopback
        except OSError:
            return False


def require_safe_address(settings: Settings) -> None:
    """``Invalid`` when this node would show accounts with a public password to the network."""
    if is_loopback(settings.host):
        return
    if people.demo_accounts_exist():
        raise Invalid(
            f"This node has demo accounts whose password everybody knows, so it must not listen on {settings.host}. "
            "Use 127.0.0.1, or a fresh data folder without 'musicconnect demo'.",
            field="host",
        )
