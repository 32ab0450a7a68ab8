"""Moments and spans as text, as protobuf's JSON mapping has them.

Sources: google/protobuf/timestamp.proto, duration.proto (JSON Mapping); RFC 3339 section 5.6.
"""

import re
from datetime import UTC, datetime
from typing import Final

from torhaus.codecs.model import DecodeError, RejectReason

SECOND: Final = 1_000_000_000
FIRST_S: Final = -62_135_596_800
"""0001-01-01T00:00:00Z."""
LAST_S: Final = 253_402_300_799
"""9999-12-31T23:59:59Z."""
MAX_SPAN_S: Final = 315_576_000_000
"""10,000 years, the most that a Duration may be."""
_MAX_TEXT: Final = 64
_MOMENT: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(?:([Zz])|([+-])(\d\d):(\d\d))", re.ASCII
)
_SPAN: Final = re.compile(r"(-?)(\d{1,12})(?:\.(\d{1,9}))?s", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def format_moment(ns: int) -> str:
    """RFC 3339 in UTC with 0, 3, 6 or 9 decimals. DecodeError(RANGE) outside the years 1 to 9999."""
    seconds, rest = divmod(ns, SECOND)
    if not FIRST_S <= seconds <= LAST_S:
        raise DecodeError(RejectReason.RANGE, "a time outside the years 1 to 9999")
    days, second = divmod(seconds, 86_400)
    date = datetime.fromordinal(_EPOCH.toordinal() + days)
    hour, minute = second // 3600, second // 60 % 60
    return f"{date:%Y}".rjust(4, "0") + f"-{date:%m-%d}T{hour:02}:{minute:02}:{second % 60:02}{_decimals(rest)}Z"


def parse_moment(text: str) -> int:
    """Nanoseconds since 1970; digits after the ninth decimal are dropped. DecodeError."""
    found = _MOMENT.fullmatch(text) if len(text) <= _MAX_TEXT else None
    if found is None:
        raise DecodeError(RejectReason.SYNTAX, "not a time such as 2026-11-23T09:53:25.4Z")
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    rest, _, sign, off_hours, off_minutes = found.groups()[6:]
    leap = second == 60  # a leap second has no Unix time of its own: it is the next midnight's
    try:
        whole = datetime(year, month, day, hour, minute, 59 if leap else second, tzinfo=UTC) - _EPOCH
    except ValueError as e:
        raise DecodeError(RejectReason.RANGE, f"not a time: {e}") from None
    seconds = whole.days * 86_400 + whole.seconds + leap
    if sign is not None:
        offset = int(off_hours) * 3600 + int(off_minutes) * 60
        if offset >= 86_400 or int(off_minutes) > 59:
            raise DecodeError(RejectReason.RANGE, "not an offset from UTC")
        seconds += offset if sign == "-" else -offset
    if not FIRST_S <= seconds <= LAST_S:
        raise DecodeError(RejectReason.RANGE, "a time outside the years 1 to 9999")
    return seconds * SECOND + int((rest or "0").ljust(9, "0"))


def format_span(ns: int) -> str:
    """Seconds with 0, 3, 6 or 9 decimals and an `s`: "1.500s". DecodeError(RANGE) beyond 10,000 years."""
    seconds, rest = divmod(abs(ns), SECOND)
    if seconds > MAX_SPAN_S:
        raise DecodeError(RejectReason.RANGE, "a duration of more than 10,000 years")
    return f"{'-' if ns < 0 else ''}{seconds}{_decimals(rest)}s"


def parse_span(text: str) -> int:
    """Nanoseconds. DecodeError."""
    found = _SPAN.fullmatch(text) if len(text) <= _MAX_TEXT else None
    if found is None:
        raise DecodeError(RejectReason.SYNTAX, "not a duration such as 1.5s")
    sign, seconds, rest = found.groups()
    if int(seconds) > MAX_SPAN_S:
        raise DecodeError(RejectReason.RANGE, "a duration of more than 10,000 years")
    ns = int(seconds) * SECOND + int((rest or "0").ljust(9, "0"))
    return -ns if sign else ns


def _decimals(ns: int) -> str:
    if not ns:
        return ""
    text = f"{ns:09}"
    return "." + (text[:3] if text.endswith("000000") else text[:6] if text.endswith("000") else text)
