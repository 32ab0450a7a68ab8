"""Position and time of a satellite receiver: NMEA 0183 sentences GGA, RMC and ZDA, of any talker (GP, GN, GL, GA …).

Source: NMEA 0183 version 4.11, sentences GGA, RMC and ZDA, as their receivers' public manuals describe them. The
sentences of one second are one frame (`NmeaFramer`); each has a checksum, which must be there.

`latitude`, `longitude` (deg, south and west negative), `altitude` (m above mean sea level), `speed` (m/s), `course`
(deg), `satellites`, `hdop`, `fix_quality` (0 none, 1 GPS, 2 differential, 4 RTK …), `fix` (whether there is one),
`time` (UTC, ISO 8601). Without a fix there is no position.
"""

import re
from datetime import UTC, datetime
from typing import Final

from torhaus.codecs.framing.lines import LineFramer
from torhaus.codecs.model import DecodeError, Fields, Reject, RejectReason, Value

MAX_SENTENCE: Final = 100
"""Bytes; the standard has 82, some receivers send more."""
MAX_FRAME: Final = 1024

_SENTENCE: Final = re.compile(rb"\$([A-Z]{2})(GGA|RMC|ZDA),([ -)+-~]*)\*([0-9A-Fa-f]{2})")
_ANY: Final = re.compile(rb"[$!][ -~]{5,98}")
_NUMBER: Final = re.compile(r"-?\d{1,9}(\.\d{0,9})?")
_KNOT: Final = 1852 / 3600


def checksum(sentence: bytes) -> int:
    """Exclusive-or of what stands between `$` and `*`."""
    check = 0
    for octet in sentence:
        check ^= octet
    return check


def sentence(line: bytes) -> tuple[str, list[str]]:
    """Kind and values of one GGA, RMC or ZDA. Raises DecodeError SYNTAX or CRC."""
    match = _SENTENCE.fullmatch(line)
    if match is None:
        raise DecodeError(RejectReason.SYNTAX, "no GGA, RMC or ZDA sentence")
    if checksum(line[1:-3]) != int(match[4], 16):
        raise DecodeError(RejectReason.CRC, "the checksum of a sentence does not match")
    return match[2].decode("ascii"), match[3].decode("ascii").split(",")


def decode(data: bytes, fport: int | None = None) -> Fields:  # noqa: ARG001 - one signature for all codecs
    """Fields of the sentences of one second. Raises DecodeError SHORT, LONG, SYNTAX, CRC or RANGE."""
    if len(data) > MAX_FRAME:
        raise DecodeError(RejectReason.LONG, f"{len(data)} bytes, at most {MAX_FRAME}")
    lines = [line.strip() for line in data.split(b"\n") if line.strip()]
    if not lines:
        raise DecodeError(RejectReason.SHORT, "no sentence")
    fields: Fields = {}
    for line in lines:
        kind, values = sentence(line)
        values += [""] * (15 - len(values))
        match kind:
            case "GGA":
                _gga(values, fields)
            case "RMC":
                _rmc(values, fields)
            case _:
                _time(values[0], values[1].zfill(2) + values[2].zfill(2) + values[3][-2:], fields)
    if not fields:
        raise DecodeError(RejectReason.RANGE, "sentences without a value")
    return fields


def _gga(v: list[str], fields: Fields) -> None:
    """Time, latitude, N/S, longitude, E/W, quality, satellites, HDOP, altitude, M, …."""
    quality = _number(v[5])
    if quality is not None:
        fields["fix_quality"] = Value(int(quality))
        fields["fix"] = Value(quality > 0)
    satellites = _number(v[6])
    if satellites is not None:
        fields["satellites"] = Value(int(satellites))
    if not quality:
        return
    _position(v[1:5], fields)
    hdop, altitude = _number(v[7]), _number(v[8])
    if hdop is not None:
        fields["hdop"] = Value(hdop)
    if altitude is not None and v[9] == "M":
        fields["altitude"] = Value(altitude, "m")


def _rmc(v: list[str], fields: Fields) -> None:
    """Time, status, latitude, N/S, longitude, E/W, knots, course, date, …."""
    fields.setdefault("fix", Value(v[1] == "A"))
    _time(v[0], v[8], fields)
    if v[1] != "A":
        return
    _position(v[2:6], fields)
    knots, course = _number(v[6]), _number(v[7])
    if knots is not None:
        fields["speed"] = Value(round(knots * _KNOT, 3), "m/s")
    if course is not None:
        fields["course"] = Value(course, "deg")


def _position(v: list[str], fields: Fields) -> None:
    latitude, longitude = _degrees(v[0], v[1], "NS", 90), _degrees(v[2], v[3], "EW", 180)
    if latitude is not None and longitude is not None:
        fields["latitude"] = Value(latitude, "deg")
        fields["longitude"] = Value(longitude, "deg")


def _degrees(text: str, side: str, sides: str, limit: int) -> float | None:
    """`dddmm.mmmm` with its side; None when there is none. Raises DecodeError RANGE."""
    if not text and not side:
        return None
    if not re.fullmatch(r"\d{4,5}(\.\d{0,9})?", text) or side not in sides or not side:
        raise DecodeError(RejectReason.RANGE, "a position that is none")
    whole, _, fraction = text.partition(".")
    minutes = float(f"{whole[-2:]}.{fraction or 0}")
    degrees = int(whole[:-2]) + minutes / 60
    if minutes >= 60 or degrees > limit:
        raise DecodeError(RejectReason.RANGE, "a position that is none")
    return round(-degrees if side == sides[1] else degrees, 7)


def _time(clock: str, date: str, fields: Fields) -> None:
    """`hhmmss.ss` and `ddmmyy`. A receiver without time sends neither; a leap second is told as the second before."""
    if not re.fullmatch(r"\d{6}(\.\d{1,6})?", clock) or not re.fullmatch(r"\d{6}", date):
        return
    seconds = min(int(clock[4:6]), 59)
    try:
        day, month, year = int(date[:2]), int(date[2:4]), 2000 + int(date[4:])
        at = datetime(year, month, day, int(clock[:2]), int(clock[2:4]), seconds, tzinfo=UTC)
    except ValueError:
        raise DecodeError(RejectReason.RANGE, "a time that is none") from None
    fields["time"] = Value(at.strftime("%Y-%m-%dT%H:%M:%SZ"))


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


class NmeaFramer:
    """Gathers the GGA, RMC and ZDA of one second (a `Framer`). A frame is complete when the next second begins.

    Other sentences are passed over. One with a wrong checksum is refused as CRC, a line that is no sentence as SYNTAX.
    """

    __slots__ = ("_kinds", "_lines", "_second", "_sentences")

    def __init__(self) -> None:
        self._lines = LineFramer(b"\n", MAX_SENTENCE)
        self._sentences: list[bytes] = []
        self._kinds: set[str] = set()
        self._second = ""

    def feed(self, data: bytes) -> list[bytes | Reject]:
        """Take the next bytes of the stream."""
        out: list[bytes | Reject] = []
        for line in self._lines.feed(data):
            if isinstance(line, Reject):
                out.append(line)
            else:
                self._line(line, out)
        return out

    def _line(self, line: bytes, out: list[bytes | Reject]) -> None:
        try:
            kind, values = sentence(line)
        except DecodeError as error:
            if error.reason is RejectReason.CRC or not _ANY.fullmatch(line):
                out.append(Reject(line, error.reason, error.detail))
            return
        second = values[0][:6]
        if self._sentences and (second != self._second or kind in self._kinds):
            out.append(b"\r\n".join(self._sentences) + b"\r\n")
            self._sentences.clear()
            self._kinds.clear()
        self._sentences.append(line)
        self._kinds.add(kind)
        self._second = second

    def reset(self) -> list[Reject]:
        """Forget what is incomplete (the link was lost); returns it as Reject if there was anything."""
        out = [Reject(line, RejectReason.SHORT, "the link was lost before the next second") for line in self._sentences]
        self._sentences.clear()
        self._kinds.clear()
        return out + self._lines.reset()
