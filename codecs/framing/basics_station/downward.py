"""What is said to a station: downlinks and the time. LNS protocol, "dnmsg", "timesync".

A station picks the moment itself: a `dnmsg` for class A names both receive windows of an uplink, by its `xtime`; for
class B the time of the ping slot; for class C nothing. It says `dntxed` when it has sent, and nothing when it has not.
It always sends as LoRaWAN downlinks are sent (inverted, coding rate 4/5), with the power that its region allows.
`dnsched` makes the same jobs in a station's queue (a time by GPS or by `xtime`), and no `dntxed` follows: so all is
said as `dnmsg`.
"""

from typing import Any, Final

import msgspec

from torhaus.codecs.framing.basics_station.upward import Sent, parse_context
from torhaus.codecs.lorawan.downlink import After, AtGpsTime, Downlink, Immediately, TxAnswer, TxItem, TxStatus
from torhaus.codecs.lorawan.eui import parse_eui64
from torhaus.codecs.lorawan.phy import MAX_PHY_BYTES
from torhaus.codecs.lorawan.region import downlink_dr_index
from torhaus.codecs.lorawan.regions.model import Region
from torhaus.codecs.model import MAX_DETAIL, DecodeError

SECOND_US: Final = 1_000_000
MAX_RX_DELAY_S: Final = 15
MAX_PRIORITY: Final = 255
MAX_DELAY_US: Final = 600 * SECOND_US
"""A station takes nothing that is further ahead (TX_MAX_AHEAD)."""
MAX_GPS_US: Final = 1 << 62
MAX_ANTENNA: Final = 127
NOBODY: Final = "01-01-01-01-01-01-01-01"
"""DevEui of a downlink whose device has none, or is not known: after one with zeros only no `dntxed` is said."""


class Attempt(msgspec.Struct, frozen=True):
    """One message to a station: the items of the downlink that are in it (one, or two receive windows).

    `rates` are frequency and data rate of each item. `message` lacks the number (`dnmsg`). With a `refusal` there is
    no message: this station could not send it at all.
    """

    items: tuple[int, ...]
    rates: tuple[tuple[int, int], ...] = ()
    message: dict[str, Any] | None = None
    refusal: TxAnswer | None = None
    ahead_us: int = 0  # class A: how long after the uplink the last window is
    gps_us: int | None = None  # class B: when
    sent_at: tuple[int, ...] = ()  # class A: `xtime` of each window


def attempts(downlink: Downlink, region: Region) -> tuple[Attempt, ...]:
    """The messages for a downlink, in order: two windows of one uplink are one message."""
    found: list[Attempt] = []
    items = downlink.items
    n = 0
    while n < len(items):
        pair = n + 1 < len(items) and _are_windows(items[n], items[n + 1])
        both = (n, n + 1) if pair else (n,)
        found.append(_attempt(downlink, region, both))
        n += len(both)
    return tuple(found)


def dnmsg(message: dict[str, Any], number: int, utc_s: float | None = None) -> bytes:
    """The message with the number (`diid`) that the station will say when it has sent it."""
    return msgspec.json.encode(_timed(message | {"diid": number}, utc_s))


def timesync(txtime: int, gps_us: int, utc_s: float) -> bytes:
    """The answer to a station that asks for the time: GPS time in µs."""
    return msgspec.json.encode(_timed({"msgtype": "timesync", "txtime": txtime, "gpstime": gps_us}, utc_s))


def which(attempt: Attempt, sent: Sent) -> int:
    """Which item of an attempt was sent: an index into `attempt.items`."""
    if len(attempt.items) == 1:
        return 0
    fits = [n for n, (freq, dr) in enumerate(attempt.rates) if (freq, dr) == (sent.Freq, sent.DR)]
    if len(fits) == 1:
        return fits[0]
    # both windows are alike, or the station does not say: the nearer in time
    return min((0, 1), key=lambda n: abs(sent.xtime - attempt.sent_at[n])) if sent.xtime else 0


def _are_windows(first: TxItem, second: TxItem) -> bool:
    """Whether two items are RX1 and RX2 of the same uplink with the same frame."""
    a, b = first.at, second.at
    return (
        isinstance(a, After)
        and isinstance(b, After)
        and a.context == b.context
        and b.delay_us - a.delay_us == SECOND_US
        and first.data == second.data
        and (first.preamble, first.crc) == (second.preamble, second.crc)
    )


def _attempt(downlink: Downlink, region: Region, numbers: tuple[int, ...]) -> Attempt:
    items = [downlink.items[n] for n in numbers]
    rates: list[tuple[int, int]] = []
    for item in items:
        dr = downlink_dr_index(region, item.modulation, item.datarate)
        if not region.min_hz <= item.freq_hz <= region.max_hz:
            return _refused(numbers, TxStatus.TX_FREQ, f"{item.freq_hz} Hz is outside of {region.name}")
        if dr is None:
            detail = f"{region.name} has no downlinks with {item.modulation} {item.datarate}"[:MAX_DETAIL]
            return _refused(numbers, TxStatus.INTERNAL_ERROR, detail)
        if not _can_be_said(item):
            return _refused(numbers, TxStatus.INTERNAL_ERROR, "Basics Station cannot be told to send so")
        rates.append((item.freq_hz, dr))
    first = items[0]
    message: dict[str, Any] = {
        "msgtype": "dnmsg",
        "DevEui": _device(downlink.dev_eui),
        "pdu": first.data.hex(),
        "priority": min(max(downlink.priority, 0), MAX_PRIORITY),
    }
    if first.preamble is not None:
        message["preamble"] = first.preamble
    if first.crc:
        message["addcrc"] = 1
    at = first.at
    if isinstance(at, After):
        return _class_a(numbers, tuple(rates), message, at)
    (freq, dr), rctx = rates[0], first.antenna or 0
    if isinstance(at, AtGpsTime):
        if not 0 <= at.gps_us < MAX_GPS_US:
            return _refused(numbers, TxStatus.TOO_EARLY, "no such time")
        message |= {"dC": 1, "DR": dr, "Freq": freq, "gpstime": at.gps_us, "rctx": rctx}
        return Attempt(numbers, tuple(rates), message, gps_us=at.gps_us)
    assert isinstance(at, Immediately)
    message |= {"dC": 2, "RxDelay": 1, "RX2DR": dr, "RX2Freq": freq, "rctx": rctx}
    return Attempt(numbers, tuple(rates), message)


def _class_a(
    numbers: tuple[int, ...], rates: tuple[tuple[int, int], ...], message: dict[str, Any], at: After
) -> Attempt:
    try:
        rctx, xtime = parse_context(at.context)
    except DecodeError:  # another kind of gateway's
        return _refused(numbers, TxStatus.INTERNAL_ERROR, "the uplink was not heard by Basics Station")
    if at.delay_us < SECOND_US:
        return _refused(numbers, TxStatus.TOO_LATE, "Basics Station needs a second after the uplink")
    if at.delay_us > MAX_DELAY_US:
        return _refused(numbers, TxStatus.TOO_EARLY, "more than ten minutes after the uplink")
    delay_s, rest_us = divmod(at.delay_us, SECOND_US)
    if rest_us or delay_s > MAX_RX_DELAY_S:  # the station counts in whole seconds from `xtime`, which may be shifted
        delay_s, shift_us = 1, at.delay_us - SECOND_US
    else:
        shift_us = 0
    message |= {"dC": 0, "RxDelay": delay_s, "xtime": xtime + shift_us, "rctx": rctx}
    message |= {"RX1Freq": rates[0][0], "RX1DR": rates[0][1]}
    if len(rates) > 1:
        message |= {"RX2Freq": rates[1][0], "RX2DR": rates[1][1]}
    sent_at = tuple(xtime + at.delay_us + n * SECOND_US for n in range(len(rates)))
    return Attempt(numbers, rates, message, ahead_us=at.delay_us + (len(rates) - 1) * SECOND_US, sent_at=sent_at)


def _refused(numbers: tuple[int, ...], status: TxStatus, detail: str) -> Attempt:
    return Attempt(numbers, refusal=TxAnswer(status, detail=detail))


def _can_be_said(item: TxItem) -> bool:
    """Whether the protocol has words for what is asked."""
    return (
        item.invert_polarization
        and 1 <= len(item.data) <= MAX_PHY_BYTES
        and 0 <= (item.preamble or 0) <= 0xFFFF
        and 0 <= (item.antenna or 0) <= MAX_ANTENNA
    )


def _device(dev_eui: str | None) -> str:
    try:
        device = parse_eui64(dev_eui or "")
    except DecodeError:
        device = 0
    return device.to_bytes(8, "big").hex("-").upper() if device else NOBODY


def _timed(message: dict[str, Any], utc_s: float | None) -> dict[str, Any]:
    """`MuxTime` lets the station say how long its words were under way."""
    return message if utc_s is None else message | {"MuxTime": utc_s}
