"""What goes wrong with a job at a scanner: an English sentence, and a word for which every language has its own."""

from enum import StrEnum

import msgspec


class Fault(StrEnum):
    """Why a job did not start, or why not all of it may have come. The page's texts name them."""

    NO_ANSWER = "no_answer"
    NOT_UNDERSTOOD = "not_understood"
    BROKEN_OFF = "broken_off"
    SETTING = "setting"
    REFUSED = "refused"
    BUSY = "busy"
    NOT_READY = "not_ready"
    FEEDER_EMPTY = "feeder_empty"
    FEEDER = "feeder"
    JAM = "jam"
    COVER_OPEN = "cover_open"
    SAME_PAGES = "same_pages"
    TOO_MANY = "too_many"
    TOO_LARGE = "too_large"
    NO_PAGE = "no_page"
    WITHHELD = "withheld"
    END_UNKNOWN = "end_unknown"
    NOT_COUNTED = "not_counted"
    ABORTED = "aborted"
    CUT_OFF = "cut_off"
    NOT_KEPT = "not_kept"
    PROGRAM = "program"
    LATE = "late"


class Trouble(msgspec.Struct, frozen=True):
    """A fault. `text`: in English; `detail`: what belongs into the sentence of any language, as the scanner said it."""

    fault: Fault
    text: str
    detail: str = ""

    def __str__(self) -> str:
        return self.text


def not_kept(why: str) -> Trouble:
    """What came cannot be written down. `why`: ENOSPC and the like."""
    return Trouble(Fault.NOT_KEPT, f"cannot be kept: {why}", why)


CUT_OFF = Trouble(Fault.CUT_OFF, "the job was cut off")


class JobFault(Exception):  # noqa: N818 - a fact
    """A job does not go on."""

    def __init__(self, fault: Fault, text: str, detail: str = "") -> None:
        self.trouble = Trouble(fault, text, detail)
        super().__init__(text)


class PullRefused(JobFault):
    """It did not start, and why: for the person at the scanner."""


class Stopped(JobFault):
    """It was under way."""
