"""Structured logs: one line per state change, `key=value`, with journald's priorities when systemd reads them.

Never logged: payloads, keys, names of documents or people, one line per record or per retry.
"""

import logging
import os
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import msgspec

_PRIORITY: Final = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/+@[]%")
_MAX_VALUE: Final = 500

logger: Final = logging.getLogger("torhaus")


class Lines(logging.Formatter):
    """`<6>event key=value …` for the journal, with a time stamp in front elsewhere."""

    def __init__(self, *, journal: bool) -> None:
        super().__init__()
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever is in it; a traceback follows as lines of its own."""
        fields: dict[str, Any] = getattr(record, "fields", {})
        line = " ".join([record.getMessage(), *(f"{k}={_value(v)}" for k, v in fields.items() if v is not None)])
        lines = [line.replace("\n", " ")]
        if record.exc_info:
            lines += "".join(traceback.format_exception(*record.exc_info)).rstrip().splitlines()
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
    escaped = text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text
    return '"' + escaped.replace('"', "'") + '"'


class JsonLines(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        """`at`, `level`, `event`, the fields, and `traceback` for a defect."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        entry: dict[str, Any] = {"at": at, "level": record.levelname.lower(), "event": record.getMessage()}
        entry |= {k: str(v)[:_MAX_VALUE] for k, v in getattr(record, "fields", {}).items() if v is not None}
        if record.exc_info:
            entry["traceback"] = "".join(traceback.format_exception(*record.exc_info))
        return msgspec.json.encode(entry).decode()


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


def info(event: str, **fields: Any) -> None:  # noqa: ANN401
    """A state changed for the better, or as asked."""
    logger.info(event, extra={"fields": fields})


def warning(event: str, **fields: Any) -> None:  # noqa: ANN401
    """Somebody should look at it; nothing is lost."""
    logger.warning(event, extra={"fields": fields})


def error(event: str, exc: BaseException | None = None, **fields: Any) -> None:  # noqa: ANN401
    """Something is lost or a promise is at risk."""
    logger.error(event, exc_info=exc, extra={"fields": fields})
