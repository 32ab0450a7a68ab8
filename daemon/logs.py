"""Structured logs: one line per state change, `key=value`, with journald's priorities when systemd reads them.

Never logged: payloads, keys, names of documents or people, one line per record or per retry.
"""

import logging
import math
import os
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import msgspec

_PRIORITY: Final = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/+@[]%")
_MAX_VALUE: Final = 500
"""Characters of a value, an event or a line of a traceback."""
_MAX_TRACE: Final = 100
"""Lines of a traceback."""
_EXACT: Final = 2**53
"""Larger numbers are text in JSON: many readers take all numbers for floating ones (RFC 8259 section 6)."""

logger: Final = logging.getLogger("torhaus")


class Lines(logging.Formatter):
    """`<6>event key=value …` for the journal, with a time stamp in front elsewhere."""

    def __init__(self, *, journal: bool) -> None:
        super().__init__()
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever is in it; a traceback follows as lines of its own."""
        fields: dict[str, Any] = getattr(record, "fields", {})
        event = _printable(record.getMessage()[:_MAX_VALUE])
        lines = [" ".join([event, *(f"{k}={_value(v)}" for k, v in fields.items() if v is not None)])]
        lines += map(_printable, _trace(record))
        if self._journal:
            prefix = f"<{_PRIORITY.get(record.levelno, 6)}>"
        else:
            at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            prefix = f"{at} {record.levelname.lower():8}"
        return "\n".join(prefix + text for text in lines)


def _value(value: Any) -> str:  # noqa: ANN401 - anything that can be printed
    text = str(value)[:_MAX_VALUE]
    if text and all(c in _PLAIN for c in text):
        return text
    return '"' + _printable(text).replace('"', "'") + '"'


def _printable(text: str) -> str:
    """What would end the line or move the cursor, escaped: nobody writes lines of their own."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _trace(record: logging.LogRecord) -> list[str]:
    """The traceback's lines, the last ones of a long one."""
    if not record.exc_info or record.exc_info[0] is None:
        return []
    lines = "".join(traceback.format_exception(*record.exc_info)).rstrip().splitlines()
    return [line[:_MAX_VALUE] for line in lines[-_MAX_TRACE:]]


class JsonLines(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        """`at`, `level`, `event`, the fields, and `traceback` for a defect."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        event = _encodable(record.getMessage()[:_MAX_VALUE])
        entry: dict[str, Any] = {"at": at, "level": record.levelname.lower(), "event": event}
        fields = getattr(record, "fields", {})
        entry |= {k: _json_value(v) for k, v in fields.items() if v is not None}
        if trace := _trace(record):
            entry["traceback"] = _encodable("\n".join(trace))
        return msgspec.json.encode(entry).decode()


def _json_value(value: Any) -> bool | int | float | str:  # noqa: ANN401 - anything that can be printed
    """Truth values and numbers as such, so that who reads the log need not take text apart; all else as text."""
    if isinstance(value, bool) or (isinstance(value, int) and -_EXACT <= value <= _EXACT):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return _encodable(str(value)[:_MAX_VALUE])


def _encodable(text: str) -> str:
    """File names may hold bytes that are no text."""
    return text.encode("utf-8", "backslashreplace").decode()


def set_up(level: str, format_: str = "auto", stream: TextIO | None = None) -> None:
    """Log to stderr. `auto`: for the journal under systemd, as text on a terminal, else as JSON lines."""
    out = stream or sys.stderr
    if format_ == "auto":
        format_ = "journal" if "JOURNAL_STREAM" in os.environ else "text" if out.isatty() else "json"
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonLines() if format_ == "json" else Lines(journal=format_ == "journal"))
    logger.handlers[:] = [handler]
    logger.setLevel(level.upper())
    logger.propagate = False
    root = logging.getLogger()  # what libraries have to say looks the same
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)


def info(event: str, **fields: Any) -> None:  # noqa: ANN401
    """A state changed for the better, or as asked."""
    logger.info(event, extra={"fields": fields})


def warning(event: str, **fields: Any) -> None:  # noqa: ANN401
    """Somebody should look at it; nothing is lost."""
    logger.warning(event, extra={"fields": fields})


def error(event: str, exc: BaseException | None = None, **fields: Any) -> None:  # noqa: ANN401
    """Something is lost or a promise is at risk."""
    logger.error(event, exc_info=exc, extra={"fields": fields})
