"""JSON logs with the correlation id of the request that caused them; no persons in any line."""

from __future__ import annotations

import json
import logging
import sys
import uuid
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

_CORRELATION: ContextVar[str | None] = ContextVar("correlation_id", default=None)
_SERVICE: ContextVar[str | None] = ContextVar("service", default=None)

# Attributes every LogRecord has; what a caller adds by `extra` is everything else.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def correlation_id() -> str | None:
    """The id that ties this work to the request or event that began it."""
    return _CORRELATION.get()


def correlate(identifier: str | None = None, service: str | None = None) -> str:
    """Take `identifier` (or a new one) as the correlation id of what follows in this green thread."""
    chosen = identifier or uuid.uuid4().hex
    _CORRELATION.set(chosen)
    if service is not None:
        _SERVICE.set(service)
    return chosen


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, service, correlation_id and extras."""

    def format(self, record: logging.LogRecord) -> str:
        """The line for `record`."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (service := _SERVICE.get()) is not None:
            line["service"] = service
        if (identifier := _CORRELATION.get()) is not None:
            line["correlation_id"] = identifier
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(level: str) -> None:
    """Write all logs of this process to standard error as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # These repeat what our own lines say, or print arguments, which may hold persons' data.
    for chatty in ("nameko", "amqp", "kombu", "alembic", "transitions"):
        logging.getLogger(chatty).setLevel("WARNING")
