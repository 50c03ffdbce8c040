"""Log lines on standard error: an event and its facts, as a line of text or as JSON, each with what its thread works on.

Everything logs by the standard library, facts by ``extra=``; structlog gathers the facts and puts them into a line.
"""

import json
import logging
import re
import sys
import threading
from datetime import UTC
from datetime import datetime
from types import TracebackType
from typing import Any

import structlog
from structlog.stdlib import ExtraAdder
from structlog.stdlib import ProcessorFormatter
from structlog.types import EventDict
from structlog.types import Processor
from structlog.types import WrappedLogger

from appliance import failures
from appliance import traces

log = logging.getLogger(__name__)

TEXT, JSON = "text", "json"
_QUIET = ("huey", "waitress.queue", "PIL", "urllib3", "peewee")
"""Libraries that talk much. Peewee tells each statement with its values, and these are secrets and personal data, whatever the level is."""
_STACKS = ("exception", "stack_info")
_TELLS_ADDRESSES = ("waitress", "gunicorn.error")
_ADDRESS = re.compile(r"(serving|handling request|Invalid request) .*", re.DOTALL)
"""Where they begin to tell what was asked for, and by which address of the network."""


def configure(level: str, form: str = TEXT) -> None:
    """Log at *level* to standard error, as ``text`` or ``json``; libraries that talk much only when something is wrong."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(form))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # What libraries warn of is a line like any other, or programs that read lines would stumble over it.
    logging.captureWarnings(True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    _hear_of_the_end()
    # A plugin that logs by structlog itself gets the same lines.
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _hear_of_the_end() -> None:
    """What ends a thread or the process is a line like any other; hooks that somebody else has put there stay."""
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _process_ended
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _thread_ended


def _process_ended(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    if isinstance(error, Exception):
        log.critical("the process ended by an error", exc_info=error)
    else:
        sys.__excepthook__(kind, error, where)


def _thread_ended(facts: threading.ExceptHookArgs) -> None:
    if isinstance(facts.exc_value, Exception):
        log.critical("a thread ended by an error", exc_info=facts.exc_value)
    else:
        threading.__excepthook__(facts)


def formatter(form: str) -> logging.Formatter:
    """What makes a line of a record."""
    render: Processor = _as_json if form == JSON else _as_text
    return ProcessorFormatter(
        foreign_pre_chain=[ExtraAdder()],
        processors=[
            _add_work,
            _add_stack,
            _add_origin,
            ProcessorFormatter.remove_processors_meta,
            _leave_out_people,
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


def _add_stack(logger: WrappedLogger, method: str, line: EventDict) -> EventDict:
    """The stack of an error, in which no error of the chain tells of a row."""
    told = line.pop("exc_info", None)
    error = sys.exception() if told is True else told[1] if isinstance(told, tuple) else told
    if isinstance(error, BaseException):
        line["exception"] = failures.stack(error)
    return line


def _leave_out_people(logger: WrappedLogger, method: str, line: EventDict) -> EventDict:
    """Texts and facts without what a database told of a row, and without addresses: libraries put errors into theirs."""
    # Stacks are made so; the lines of source in them are the program's.
    return {name: value if name in _STACKS else _cleaned(value) for name, value in line.items()}


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return failures.cleaned(value)
    if isinstance(value, BaseException):
        return failures.told(value)
    if isinstance(value, dict):
        return {name: _cleaned(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(one) for one in value]
    return value


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
    below = "".join(f"\n{line.pop(name)}" for name in _STACKS if line.get(name))
    head = f"{line.pop('time')} {line.pop('level')} {line.pop('logger')}: {_told(line.pop('event'))}"
    return head + "".join(f" {name}={_told(value)}" for name, value in line.items()) + below


def _as_json(logger: WrappedLogger, method: str, line: EventDict) -> str:
    return json.dumps(line, default=str, ensure_ascii=False)


def _told(value: Any) -> str:
    # A line break in a value would let a stranger write log lines of their own.
    return str(value).replace("\n", "\\n").replace("\r", "\\r")
