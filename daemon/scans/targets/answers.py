"""What HTTP statuses mean for a delivery. Pure."""

from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Final

from torhaus.daemon.scans.targets.base import NotNow, Refused, TargetDown

MISSING: Final = frozenset({404, 410})
"""What says of an object's own URL that it is not there."""


class Answer(Enum):
    """What a status means for us."""

    DOWN = "down"  # the server takes nothing, or nothing from us: all wait
    LATER = "later"  # not this document, not now
    NEVER = "never"  # not this document
    EXISTS = "exists"  # something is there under this id already


ANSWERS: Final = {
    401: Answer.DOWN, 403: Answer.DOWN, 404: Answer.DOWN, 405: Answer.DOWN, 407: Answer.DOWN, 408: Answer.LATER,
    409: Answer.LATER, 412: Answer.EXISTS, 421: Answer.DOWN, 423: Answer.LATER, 424: Answer.LATER, 425: Answer.LATER,
    426: Answer.DOWN, 428: Answer.DOWN, 429: Answer.DOWN, 460: Answer.LATER, 501: Answer.DOWN, 502: Answer.DOWN,
    503: Answer.DOWN, 504: Answer.DOWN, 505: Answer.DOWN, 507: Answer.DOWN, 511: Answer.DOWN,
}  # fmt: skip
"""RFC 9110 §15 and its registry; 460 is what tus servers say for a wrong checksum. What is not listed goes by class."""


_WORDS: Final = {
    401: "not let in: token, password or certificate",
    403: "not allowed to do this",
    404: "nothing at this address",
    407: "the proxy does not let us in",
    413: "too large for it",
    415: "a type that it does not take",
    507: "no room there",
}


def answer_to(status: int) -> Answer:
    """What a status that is not 2xx means: 1xx and 3xx a wrong address, other 4xx never, other 5xx later."""
    by_class = {4: Answer.NEVER, 5: Answer.LATER}
    return ANSWERS.get(status, by_class.get(status // 100, Answer.DOWN))


def refusal(
    status: int, after_s: float = 0.0, *, reading: bool = False, where: str = ""
) -> Refused | TargetDown | NotNow:
    """The exception for a status. While reading back, the document itself is not what is refused.

    `where`: the step that got it, for people.
    """
    text = f"{status} ({_WORDS[status]})" if status in _WORDS else str(status)
    text = f"{where}: {text}" if where else text
    match answer_to(status):
        case Answer.NEVER if not reading:
            return Refused(text)
        case Answer.DOWN:
            return TargetDown(text, after_s)
        case _:
            return NotNow(text, after_s=after_s)


def retry_after_s(value: str, date: str = "") -> float:
    """Retry-After in seconds (RFC 9110 §10.2.3); 0 without one that can be read.

    A point in time counts from `date`, the answer's own Date: our clock and theirs need not agree.
    """
    if value.isascii() and value.isdigit():
        return float(value) if len(value) < 8 else 0.0
    until, now = _time(value), _time(date)
    return max(0.0, (until - now).total_seconds()) if until is not None and now is not None else 0.0


def _time(text: str) -> datetime | None:
    """Of an HTTP date; those without a zone are none."""
    try:
        found = parsedate_to_datetime(text[:64])
    except (ValueError, TypeError, OverflowError):
        return None
    return found if found.tzinfo is not None else None
