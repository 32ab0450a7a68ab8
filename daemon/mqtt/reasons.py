"""What an MQTT 5 reason code means for the record, and for the connection. One table, nothing decided elsewhere.

Source: MQTT Version 5.0, OASIS Standard, 7 March 2019, 2.4 and 3.2.2.2, 3.4.2.1, 3.14.2.1.
"""

from enum import StrEnum
from typing import Final

import msgspec


class Verdict(StrEnum):
    """What becomes of a record, or of a connection attempt."""

    ACCEPTED = "accepted"  # the broker has it
    RETRY = "retry"  # not now: kept and tried again
    DEAD_LETTER = "dead letter"  # this very message will never be taken
    FAULT = "fault"  # kept and tried again, but a person has to change a setting


class Reason(msgspec.Struct, frozen=True, gc=False):
    """One reason code.

    `publish` holds for a PUBACK or a DISCONNECT that speaks of a message, `connection` for a CONNACK or DISCONNECT.
    `hint` says what to do about it, `at_the_door` instead where it is the answer to CONNECT.
    """

    name: str
    publish: Verdict = Verdict.RETRY
    connection: Verdict = Verdict.RETRY
    hint: str = ""
    at_the_door: str = ""


_FAULT: Final = Verdict.FAULT
_DEAD: Final = Verdict.DEAD_LETTER

REASONS: Final[dict[int, Reason]] = {
    0x00: Reason("success", Verdict.ACCEPTED, Verdict.ACCEPTED),
    0x04: Reason("disconnect with will message"),
    # Nobody has the message: the broker took it and let it fall. Kept until somebody subscribes.
    0x10: Reason("no matching subscribers", hint="nobody subscribes to this topic at the broker"),
    # The next two say nothing about whose fault it is: a later attempt may do.
    0x80: Reason("unspecified error"),
    0x83: Reason("implementation specific error"),
    # The two sides disagree on the protocol: no record is to blame.
    0x81: Reason("malformed packet"),
    0x82: Reason("protocol error"),
    0x84: Reason("unsupported protocol version", connection=_FAULT, hint='set protocol = "3.1.1"'),
    0x85: Reason("client identifier not valid", connection=_FAULT, hint="set client_id to one the broker takes"),
    0x86: Reason("bad user name or password", connection=_FAULT, hint="check username and password_file"),
    # An access list is mended in minutes; a year's readings must not become dead letters over it.
    0x87: Reason(
        "not authorized",
        connection=_FAULT,
        hint="let this client write to its topics (access list of the broker)",
        at_the_door="check username and password_file, or the client's certificate",
    ),
    0x88: Reason("server unavailable"),
    0x89: Reason("server busy"),
    0x8A: Reason("banned", connection=_FAULT, hint="the broker's administrator has shut this client out"),
    0x8B: Reason("server shutting down"),
    0x8C: Reason("bad authentication method", connection=_FAULT, hint="the broker demands enhanced authentication"),
    0x8D: Reason("keep alive timeout"),
    # Two boxes with one client_id push each other out in turn, for ever.
    0x8E: Reason("session taken over", connection=_FAULT, hint="another client uses the same client_id"),
    0x8F: Reason("topic filter invalid"),
    # These speak of the message itself and will not change with time: topic, payload, size, QoS or retain flag.
    0x90: Reason("topic name invalid", _DEAD, _FAULT, hint="change topic or status_topic"),
    0x95: Reason("packet too large", _DEAD, hint="raise the broker's maximum packet size"),
    0x99: Reason("payload format invalid", _DEAD, hint="the broker refuses this payload: see format"),
    # Ours to avoid: the next attempt takes another packet id and keeps to the window.
    0x91: Reason("packet identifier in use"),
    0x92: Reason("packet identifier not found"),
    0x93: Reason("receive maximum exceeded"),
    0x94: Reason("topic alias invalid"),
    0x96: Reason("message rate too high"),
    0x97: Reason("quota exceeded", hint="the broker's quota for this client is used up"),
    0x98: Reason("administrative action"),
    # Said of the will or of the status message, which are retained; records are not.
    0x9A: Reason("retain not supported", connection=_FAULT, hint='set status_topic = ""'),
    # Without QoS 1 there is no receipt.
    0x9B: Reason("QoS not supported", connection=_FAULT, hint="the broker must offer QoS 1"),
    0x9C: Reason("use another server", connection=_FAULT, hint="change url"),
    0x9D: Reason("server moved", connection=_FAULT, hint="change url"),
    0x9E: Reason("shared subscriptions not supported"),
    0x9F: Reason("connection rate exceeded"),
    0xA0: Reason("maximum connect time"),
    0xA1: Reason("subscription identifiers not supported"),
    0xA2: Reason("wildcard subscriptions not supported"),
}

_UNKNOWN: Final = Reason("unknown reason")
"""A code that no standard lists: kept, since only 0x00 is a receipt and nothing was said against the message."""


def reason_of(code: int) -> Reason:
    """The table's row, or the one for codes that are in no standard."""
    return REASONS.get(code, _UNKNOWN)


def verdict_on_message(code: int) -> Verdict:
    """What a PUBACK with this code means for its message. Only 0x00 is a receipt."""
    return reason_of(code).publish


def blames_message(code: int) -> bool:
    """Whether a DISCONNECT with this code was provoked by one of the messages in flight."""
    return reason_of(code).publish is Verdict.DEAD_LETTER


def describe(code: int, detail: str | None = None, *, is_connack: bool = False) -> str:
    """One line for status and log: name, code, the broker's own words (cut to 100 printable characters), hint."""
    reason = reason_of(code)
    text = f"{reason.name} (0x{code:02x})"
    if detail:
        text += f": {printable(detail)}"
    hint = (reason.at_the_door if is_connack else "") or reason.hint
    return f"{text}; {hint}" if hint else text


def printable(text: str) -> str:
    """A peer's text made fit for one line of a log: 100 characters at most, control characters as `?`."""
    return "".join(c if c.isprintable() else "?" for c in text[:100])
