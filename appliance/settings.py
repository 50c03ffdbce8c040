"""One table of settings, read from flags, the environment and ``musicconnect.toml``, in that order.

The environment may name a file instead of holding a secret itself: see :mod:`appliance.secret_files`.

The fields of :class:`Settings` are the table: name, type, default, help, bounds and whether the value is secret.
Plugins declare rows of the same kind (:class:`appliance.setting.Setting`), so every value is read, checked and shown in one way.
This is the only module that looks at the process environment.
"""

import os
import tomllib
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import MISSING
from dataclasses import dataclass
from dataclasses import field
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType
from typing import Any
from typing import get_origin
from typing import get_type_hints

from appliance import secret_files
from appliance.errors import Invalid
from appliance.setting import Setting

ENV_PREFIX = "MUSICCONNECT_"
PLUGIN_PREFIX = ENV_PREFIX + "PLUGIN_"
FILE_NAME = "musicconnect.toml"
__all__ = [
    "ENV_PREFIX",
    "FILE_NAME",
    "PLUGIN_PREFIX",
    "REMOVED",
    "Setting",
    "Settings",
    "core_settings",
    "load",
]

REMOVED: Mapping[str, str] = {
    "upload_limit": "'upload_limit' is now 'max_upload_mb'",
}
"""Names that once were settings, each with the sentence that tells what to write instead."""


def _row(default: Any, help: str, **extra: Any) -> Any:
    return field(default=default, metadata={"help": help, **extra})


@dataclass(frozen=True, slots=True)
class Settings:
    """Every value MusicConnect runs with, already checked; passed to ``startup.start``."""

    data: Path = _row(
        Path("data"), "Folder that holds everything this node keeps: database, queue, media, secret key."
    )
    host: str = _row(
        "127.0.0.1",
        "Address to listen on; 0.0.0.0 listens on all.",
        pattern=r"[^\s\0]+",
        form="an address or a name of this machine",
    )
    port: int = _row(8000, "TCP port to listen on; 0 takes a free one.", minimum=0, maximum=65535)
    public_url: str = _row(
        "",
        "Address people type, such as https://music.example; empty: as the request says.",
        pattern=r"(https?://[^\s/?#@]+/?)?",
        form="https:// (or http://) and a host, or nothing",
    )
    trusted_proxies: int = _row(
        0, "How many proxies in front set X-Forwarded-* headers.", minimum=0, maximum=10
    )
    trusted_hosts: tuple[str, ...] = _row(
        (), "Further names by which people may call this server, beside that in 'public_url'."
    )
    rate_limits: int = _row(
        100,
        "How much people may ask for in a time, in percent of what is usual; 0: any amount.",
        minimum=0,
        maximum=100_000,
    )
    rate_limit_url: str = _row(
        "",
        "redis://… to count requests for all nodes together; empty: each process counts its own.",
        secret=True,
        pattern=r"(rediss?://.+)?",
        form="redis://…, or nothing",
    )
    collective_name: str = _row("MusicConnect", "Name of the collective, shown on every page.")
    database_url: str = _row(
        "",
        "postgresql://… or sqlite:///…; empty: musicconnect.sqlite3 in the data folder.",
        secret=True,
        pattern=r"((postgres|postgresql)://.+|sqlite:///.+)?",
        form="postgresql://… or sqlite:///…, or nothing",
    )
    database_connect_s: int = _row(
        5, "Seconds in which PostgreSQL must take a connection.", minimum=1, maximum=60
    )
    database_statement_s: int = _row(
        30,
        "Seconds that a statement of a request may take on PostgreSQL, those of workers ten times as long; 0: any time.",
        minimum=0,
        maximum=86_400,
    )
    database_lock_s: int = _row(
        10,
        "Seconds that a statement waits for what another holds on PostgreSQL; 0: any time.",
        minimum=0,
        maximum=3600,
    )
    database_idle_s: int = _row(
        60,
        "Seconds that a transaction may do nothing on PostgreSQL, those of workers ten times as long; 0: any time.",
        minimum=0,
        maximum=86_400,
    )
    database_replica_url: str = _row(
        "",
        "postgresql://… of a replica that reads for visitors and reports; empty: the database itself does.",
        secret=True,
        pattern=r"((postgres|postgresql)://.+)?",
        form="postgresql://…, or nothing",
    )
    database_replica_lag_s: int = _row(
        10, "Seconds that the replica may be behind before it is not asked.", minimum=1, maximum=3600
    )
    database_pooler: bool = _row(
        False, "Whether 'database_url' leads to PgBouncer, or another pooler, in transaction mode."
    )
    cache_url: str = _row(
        "",
        "redis://… to share what is costly to find out; empty: each process finds it out.",
        secret=True,
        pattern=r"(rediss?://.+)?",
        form="redis://…, or nothing",
    )
    queue_url: str = _row(
        "",
        "redis://…, postgresql://… or sqlite:///…; empty: queue.sqlite3 in the data folder.",
        secret=True,
        pattern=r"((redis|rediss|postgres|postgresql)://.+|sqlite:///.+|memory://)?",
        form="redis://…, postgresql://… or sqlite:///…, or nothing",
    )
    store_url: str = _row(
        "",
        "s3://KEY:SECRET@host/bucket or a folder; empty: media in the data folder.",
        secret=True,
        pattern=r"(s3|file)://.+|((?!.*://).+)?",
        form="s3://KEY:SECRET@host/bucket or a folder, or nothing",
    )
    secret_key: str = _row(
        "",
        "Root of every signature and session; empty: made once and kept in the data folder.",
        secret=True,
        pattern=r"(?s:.{32,})?",
        form="at least 32 characters, or nothing",
    )
    media_master_key: str = _row(
        "",
        "Key that wraps the keys of encrypted tracks; empty: derived from the secret key.",
        secret=True,
        pattern=r"(?s:.{32,})?",
        form="at least 32 characters, or nothing",
    )
    media_master_key_former: str = _row(
        "",
        "The master key of before, or the secret key of before, until 'musicconnect keys rewrap' has run.",
        secret=True,
        pattern=r"(?s:.{32,})?",
        form="at least 32 characters, or nothing",
    )
    backup_url: str = _row(
        "",
        "Where backups go: a folder on another disk, or s3://KEY:SECRET@host/bucket; empty: none are taken.",
        secret=True,
        pattern=r"(s3|file)://.+|((?!.*://).+)?",
        form="s3://KEY:SECRET@host/bucket or a folder, or nothing",
    )
    backup_key: str = _row(
        "",
        "Key that backups are encrypted with; keep it elsewhere too, since nothing opens them without it. Empty: they are not encrypted.",
        secret=True,
        pattern=r"(?s:.{32,})?",
        form="at least 32 characters, or nothing",
    )
    backup_every_min: int = _row(
        15,
        "Minutes from one backup to the next, taken by the worker that does the chores; 0: by 'musicconnect backup' alone.",
        minimum=0,
        maximum=10_080,
    )
    backup_keep: str = _row(
        "8 latest, 24 hourly, 7 daily, 5 weekly, 12 monthly",
        "Which backups are kept: so many of the latest, and the last of so many hours, days, weeks and months.",
        pattern=r"\s*\d{1,4} (latest|hourly|daily|weekly|monthly)(\s*,\s*\d{1,4} (latest|hourly|daily|weekly|monthly))*\s*",
        form="numbers and periods, such as '8 latest, 24 hourly, 7 daily, 5 weekly, 12 monthly'",
    )
    ffmpeg: str = _row("", "The ffmpeg program to use; empty: the one installed with MusicConnect.")
    sandbox: str = _row(
        "auto",
        "What stands around the decoders of sound and pictures; auto: the strongest that works here.",
        choices=("auto", "bubblewrap", "landlock", "off"),
    )
    web_server: str = _row(
        "auto",
        "What 'musicconnect web' answers with; auto: gunicorn where it is installed. 'musicconnect serve' always has the embedded server.",
        choices=("auto", "embedded", "gunicorn"),
    )
    web_workers: int = _row(0, "Processes of gunicorn; 0: one for each core.", minimum=0, maximum=256)
    web_threads: int = _row(8, "Requests a web process answers at once.", minimum=1, maximum=256)
    web_socket: str = _row(
        "",
        "Unix socket on which gunicorn listens instead of 'host' and 'port'; empty: on these.",
        pattern=r"(/[A-Za-z0-9_./@+-]+)?",
        form="a path that begins with /, or nothing",
    )
    worker_threads: int = _row(
        2, "Jobs that transcode, of those that one worker process runs at once.", minimum=1, maximum=64
    )
    worker_lanes: tuple[str, ...] = _row(
        (), "What workers of this node do: transcode, mail, webhooks, analytics, plugins; empty: all of it."
    )
    worker_lane_threads: int = _row(
        1, "Jobs one worker process runs at once in each lane beside transcode.", minimum=1, maximum=64
    )
    max_upload_mb: int = _row(
        2048, "Largest original an artist may send, in MiB.", minimum=1, maximum=1_000_000
    )
    upload_expiry_h: int = _row(
        24, "Hours after which an unfinished upload is removed.", minimum=1, maximum=720
    )
    max_duration_min: int = _row(360, "Longest recording that is taken, in minutes.", minimum=1, maximum=1440)
    media_token_ttl_s: int = _row(
        600, "Seconds a media address may be used before the player renews it.", minimum=10, maximum=86400
    )
    downloads_budget_mb: int = _row(10_240, "Room for files made for download, in MiB.", minimum=1)
    job_lease_s: int = _row(
        30, "Seconds without a heartbeat after which a job is taken from its worker.", minimum=2, maximum=3600
    )
    job_attempts: int = _row(
        5, "How often a job is tried before it counts as failed.", minimum=1, maximum=100
    )
    smtp_url: str = _row(
        "",
        "smtp://NAME:PASSWORD@host:587 (STARTTLS), smtps://… (TLS) or smtp+plain://… (neither); empty: mail waits in the outbox.",
        secret=True,
        pattern=r"((smtp|smtps|smtp\+plain)://[^\s/?#]+/?)?",
        form="smtp://…, smtps://… or smtp+plain://…, or nothing",
    )
    mail_from: str = _row(
        "",
        "Address that mail comes from, such as music@example.org; needed with 'smtp_url'.",
        pattern=r"([^@\s<>\"(),:;\x00-\x1f]+@[^@\s<>\"(),:;\x00-\x1f]+)?",
        form="an e-mail address, or nothing",
    )
    registration: bool = _row(True, "Whether visitors may open an account.")
    require_second_factor: bool = _row(
        True, "Whether admins, and owners of artists that earn, must have a second factor."
    )
    platform_share_bps: int = _row(
        1000,
        "What the platform keeps of each sale after the processor's fee, in hundredths of a percent.",
        minimum=0,
        maximum=10_000,
    )
    payout_minimum: int = _row(
        10,
        "Smallest payout to an artist, in whole units of its currency.",
        minimum=0,
        maximum=1_000_000,
    )
    bank_holder: str = _row("", "Name of the bank account that payouts by hand are made from.")
    bank_iban: str = _row(
        "",
        "IBAN of the bank account that payouts by hand are made from.",
        pattern=r"([A-Za-z]{2}[0-9]{2}[A-Za-z0-9 ]{11,40})?",
        form="an IBAN, or nothing",
    )
    bank_bic: str = _row(
        "", "BIC of that account's bank; not needed within the SEPA.", pattern=r"([A-Za-z0-9]{8,11})?"
    )
    metrics_networks: tuple[str, ...] = _row(
        ("127.0.0.0/8", "::1/128"),
        "Networks whose monitors may read /metrics without a token, such as 10.0.0.0/8.",
    )
    metrics_token: str = _row(
        "",
        "Token with which a monitor may read /metrics from anywhere.",
        secret=True,
        pattern=r"([\x21-\x7e]{16,})?",
        form="at least 16 characters without spaces, or nothing",
    )
    metrics_host: str = _row(
        "127.0.0.1",
        "Address of a door of its own for monitors; needs 'metrics_port'.",
        pattern=r"[^\s\0]+",
        form="an address or a name of this machine",
    )
    metrics_port: int = _row(
        0, "TCP port of a door of its own for monitors; 0: none.", minimum=0, maximum=65535
    )
    disabled_plugins: tuple[str, ...] = _row((), "Plugins that are installed but must not run.")
    log_level: str = _row("info", "How much is logged.", choices=("debug", "info", "warning", "error"))
    log_format: str = _row("text", "How a line of the log is written.", choices=("text", "json"))
    slow_query_ms: int = _row(
        500,
        "A statement of the database that takes so many milliseconds is logged, without its values; 0: none is.",
        minimum=0,
        maximum=600_000,
    )
    plugins: Mapping[str, Mapping[str, object]] = field(default_factory=lambda: MappingProxyType({}))
    given: frozenset[str] = field(
        default_factory=frozenset
    )  # Rows the operator wrote: no admin's page changes them.


def core_settings() -> tuple[Setting, ...]:
    """The rows of the core, in the order of the manual."""
    hints = get_type_hints(Settings)
    return tuple(
        Setting(f.name, get_origin(hints[f.name]) or hints[f.name], f.default, **f.metadata)
        for f in fields(Settings)
        if f.default is not MISSING
    )


def load(
    flags: Mapping[str, object] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    file: Path | None = None,
) -> Settings:
    """Read all settings; a flag beats the environment, the environment beats the file.

    The file is ``musicconnect.toml`` in the working folder or, failing that, in the data folder; its ``[plugins.NAME]``
    tables belong to the plugins. Raises ``Invalid`` for an unknown, removed or wrong value.
    """
    rows = {row.name: row for row in core_settings()}
    environ = secret_files.unfolded(
        os.environ if environ is None else environ,
        secrets=frozenset(ENV_PREFIX + name.upper() for name, row in rows.items() if row.secret),
        of_plugins=PLUGIN_PREFIX,
    )
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    data = Path(str(given.get("data") or environ.get(ENV_PREFIX + "DATA") or "data"))
    path = file or next((p for p in (Path(FILE_NAME), data / FILE_NAME) if p.is_file()), None)
    table = _read_toml(path) if path else {}
    plugins = _plugin_tables(table.pop("plugins", {}))
    values: dict[str, Any] = {}
    for name, source in _names(given, environ, table, path):
        if name not in rows:
            raise Invalid(_unknown(name, source), field=name)
    for name, row in rows.items():
        if name in given:
            values[name] = row.read(given[name], source="the command line")
        elif ENV_PREFIX + name.upper() in environ:
            values[name] = row.read(environ[ENV_PREFIX + name.upper()], source=ENV_PREFIX + name.upper())
        elif name in table:
            values[name] = row.read(table[name], source=str(path))
    given_rows = frozenset(values)
    values["data"] = Path(values.get("data", data)).absolute()
    return Settings(**values, plugins=_with_environment(plugins, environ), given=given_rows)


def _names(
    flags: Mapping[str, object], environ: Mapping[str, str], table: Mapping[str, object], path: Path | None
) -> Iterable[tuple[str, str]]:
    """Every name that was given and where, so that a misspelt one is told instead of forgotten."""
    yield from ((name, "the command line") for name in flags)
    for key in environ:
        if key.startswith(ENV_PREFIX) and not (key.startswith(PLUGIN_PREFIX) and "__" in key):
            yield key.removeprefix(ENV_PREFIX).lower(), key
    yield from ((name, path.name if path else FILE_NAME) for name in table)


def _unknown(name: str, source: str) -> str:
    if name in REMOVED:
        return f"{REMOVED[name]} ({source})."
    plain = name.removesuffix("_file")
    if plain != name and any(row.name == plain for row in core_settings()):
        return f"The setting '{plain}' is no secret, so it is not read from a file ({source})."
    return f"There is no setting '{name}' ({source}); 'musicconnect settings' lists all."


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"{path.name} is not valid TOML: {error}") from error
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.") from error


def _plugin_tables(raw: object) -> dict[str, dict[str, object]]:
    if not isinstance(raw, dict) or not all(isinstance(values, dict) for values in raw.values()):
        raise Invalid(
            "The settings of a plugin stand in a table of its own, [plugins.NAME].", field="plugins"
        )
    return {name: dict(values) for name, values in raw.items()}


def _with_environment(
    plugins: dict[str, dict[str, object]], environ: Mapping[str, str]
) -> Mapping[str, Mapping[str, object]]:
    # MUSICCONNECT_PLUGIN_<PLUGIN>__<SETTING>: two underscores, since a plugin's name may hold one.
    for key, value in environ.items():
        if key.startswith(PLUGIN_PREFIX) and "__" in key:
            plugin, _, name = key.removeprefix(PLUGIN_PREFIX).lower().partition("__")
            plugins.setdefault(plugin, {})[name] = value
    return MappingProxyType({name: MappingProxyType(values) for name, values in plugins.items()})
