"""Log lines on standard error: an event and its facts, as a line of text or as JSON, each with what its thread works on.

Everything logs by the standard library, facts by ``extra=``; structlog gathers the facts and puts them into a line.
"""

import json
import logging
import re
import sys
from datetime import UTC
from datetime import datetime
from typing import Any

import structlog
from structlog.stdlib import ExtraAdder
from structlog.stdlib import ProcessorFormatter
from structlog.types import EventDict
from structlog.types import Processor
from structlog.types import WrappedLogger

from appliance import traces

TEXT, JSON = "text", "json"
_QUIET = ("huey", "waitress.queue", "PIL", "urllib3", "peewee")
"""Libraries that talk much. Peewee tells each statement with its values, and these are secrets and personal data, whatever the level is."""
_TELLS_ADDRESSES = ("waitress", "gunicorn.error")
_ADDRESS = re.compile(r"(serving|request) \S+")


def configure(level: str, form: str = TEXT) -> None:
    """Log at *level* to standard error, as ``text`` or ``json``; libraries that talk much only when something is wrong."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(form))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # What libraries warn of is a line like any other, or programs that read lines would stumble over it.
    logging.captureWarnings(True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # A plugin that logs by structlog itself gets the same lines.
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def formatter(form: str) -> logging.Formatter:
    """What makes a line of a record."""
    render: Processor = _as_json if form == JSON else _as_text
    return ProcessorFormatter(
        foreign_pre_chain=[ExtraAdder()],
        processors=[
            _add_work,
            structlog.processors.format_exc_info,
            _add_origin,
            ProcessorFormatter.remove_processors_meta,
            render,
        ],
    )


def _add_work(logger: WrappedLogger, method: str, line: EventDict) -> EventDict:
    """What this thread works on; a fact that the line tells itself stays."""
    work = traces.current()
    if work is not None:
        if work.request_id:
            line.setdefault("request_id", work.request_id)
        if work.job_id:
            line.setdefault("job", work.job_id)
        if work.kind == "chore":
            line.setdefault("chore", work.name)
        if work.place is not None and work.place.sampled:
            line.setdefault("trace_id", work.place.trace_id)
    return line


def _add_origin(logger: WrappedLogger, method: str, line: EventDict) -> EventDict:
    """When, how bad, and from where; these stand first."""
    record: logging.LogRecord = line["_record"]
    event = str(line.pop("event"))
    if record.name in _TELLS_ADDRESSES:
        # An address may hold a token that opens a track or an account.
        event = _ADDRESS.sub(r"\1 (address)", event)
    instant = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"time": instant, "level": record.levelname, "logger": record.name, "event": event, **line}


def _as_text(logger: WrappedLogger, method: str, line: EventDict) -> str:
    """``2026-05-01T12:00:00Z INFO web.media: served track=… seconds=…``; a stack stands below."""
    below = "".join(f"\n{line.pop(name)}" for name in ("exception", "stack_info") if line.get(name))
    head = f"{line.pop('time')} {line.pop('level')} {line.pop('logger')}: {_told(line.pop('event'))}"
    return head + "".join(f" {name}={_told(value)}" for name, value in line.items()) + below


def _as_json(logger: WrappedLogger, method: str, line: EventDict) -> str:
    return json.dumps(line, default=str, ensure_ascii=False)


def _told(value: Any) -> str:
    # A line break in a value would let a stranger write log lines of their own.
    return str(value).replace("\n", "\\n").replace("\r", "\\r")
