"""Log lines: an event and its facts as ``key=value``, one line each, on standard error."""

import logging
import sys
from datetime import UTC
from datetime import datetime

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_QUIET = ("huey", "waitress.queue", "PIL", "urllib3", "peewee.migrations")


class KeyValueFormatter(logging.Formatter):
    """``2026-05-01T12:00:00Z INFO web.media: served track=… seconds=…``."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line, its stack below where there is one."""
        instant = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        facts = "".join(f" {k}={_told(v)}" for k, v in vars(record).items() if k not in _STANDARD)
        line = f"{instant} {record.levelname} {record.name}: {_told(record.getMessage())}{facts}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _told(value: object) -> str:
    # A line break in a value would let a stranger write log lines of their own.
    return str(value).replace("\n", "\\n").replace("\r", "\\r")


def configure(level: str) -> None:
    """Log at *level* to standard error; libraries that talk much only when something is wrong."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(KeyValueFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
