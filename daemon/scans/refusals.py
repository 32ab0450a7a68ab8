"""Why something is not done that a person wants of a document: reasons, for the page has words of its own.

The command line and the local socket have these texts; the page those of its catalogues (`refusal.<reason>`).
"""

from enum import StrEnum
from typing import Final


class Refusal(StrEnum):
    """One thing that cannot be done, and why not."""

    RELEASED = "released"
    JUST_COME = "just_come"
    DISCARDED = "discarded"
    CLOCK = "clock"
    STATE = "state"
    COMING_AGAIN = "coming_again"
    NOT_BAD = "not_bad"
    NO_SUCH_SCAN = "no_such_scan"
    NOT_LATER = "not_later"
    SAME_BYTES = "same_bytes"
    STACK = "stack"
    GONE = "gone"
    UNSEEN = "unseen"
    NOT_RETRIED = "not_retried"
    BYTES_CHANGED = "bytes_changed"
    NO_SUCH_TARGET = "no_such_target"
    NO_STATION = "no_station"
    SHEETS_UNREAD = "sheets_unread"
    SHEET_UNPROVED = "sheet_unproved"
    SHEETS_WITHIN = "sheets_within"
    NO_RULE = "no_rule"


TEXTS: Final[dict[Refusal, str]] = {
    Refusal.RELEASED: "its paper was released before: nothing is left to be said of it",
    Refusal.JUST_COME: "it has only just come: try again in a moment",
    Refusal.DISCARDED: "it was discarded: nobody can look at it any more",
    Refusal.CLOCK: "the clock is not synchronised: nobody can say whether the delay is over",
    Refusal.STATE: "a scan that is {state} cannot be discarded: only one that waits for a person",
    Refusal.COMING_AGAIN: "its bytes came less than an hour ago, and may be coming again: try later",
    Refusal.NOT_BAD: "nobody has said that something is wrong with it, so there is nothing to replace or to settle",
    Refusal.NO_SUCH_SCAN: "there is no scan {new} to replace it",
    Refusal.NOT_LATER: "{new} did not come after it: only a later scan can replace it",
    Refusal.SAME_BYTES: "{new} has the same bytes: it is the same picture, not a new scan",
    Refusal.STACK: "{new} is a stack that was split: name the document that it became",
    Refusal.GONE: "{new} was discarded: it cannot replace anything",
    Refusal.UNSEEN: "the paper of {new} was released before anybody looked at it: nobody can say that it is good",
    Refusal.NOT_RETRIED: "a scan that is {state} cannot be retried",
    Refusal.BYTES_CHANGED: "its bytes are missing or changed",
    Refusal.NO_SUCH_TARGET: "no [[scan.target]] named {target}",
    Refusal.NO_STATION: "its station is no longer configured: name a target",
    Refusal.SHEETS_UNREAD: "its pages could not be searched for cover sheets: name a target",
    Refusal.SHEET_UNPROVED: "its cover sheet cannot be proved to be one of ours: name a target",
    Refusal.SHEETS_WITHIN: "it has more than one cover sheet, or one that is not on top: name a target",
    Refusal.NO_RULE: "no rule says where it goes: name a target",
}
"""For each what a person reads; `state`, `new`, `target`: which."""


class Refused(ValueError):  # noqa: N818 - a fact
    """It is not done. `said`: what the text's holes are filled with."""

    def __init__(self, why: Refusal, **said: str) -> None:
        self.why = why
        self.said = said
        super().__init__(TEXTS[why].format(**said))
