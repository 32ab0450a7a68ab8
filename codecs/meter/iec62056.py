"""Read-outs of electricity, gas, water and heat meters by IEC 62056-21 (D0, IEC 1107), modes A to D.

After IEC 62056-21:2002, chapters 6.3 and 6.5. Taken are a whole read-out with or without identification line, with or
without STX, ETX and block check (which is verified where it is there), and single data sets.

- Names are the addresses as the meter writes them: `1.8.0`, `1-0:1.8.0*255`, `1.8.0*01` (a period that is over), `F.F`
  (error register), `C.1.0`. A name that comes again gets `_2` and so on.
- Values with a unit or a decimal point are numbers, units are UCUM codes (kWh is kW.h); all others are text, since
  identities and states look like numbers. `…_timestamp`: the time that stands beside a value, by the meter's own clock.
- `identification`: the line with which the meter answers. Lines that are no data sets are counted in
  `malformed_entries`.
"""

from torhaus.codecs.framing.iec62056 import ETX, MAX_READOUT, STX, bcc
from torhaus.codecs.meter.iec62056_sets import DataSet, data_sets, put_set
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value


def decode(data: bytes, fport: int | None = None) -> Fields:  # noqa: ARG001 - one signature for all codecs
    """Fields of a read-out. Raises DecodeError SHORT, LONG, CRC or SYNTAX (no data set at all)."""
    identity, sets, malformed = readout(data)
    fields: Fields = {}
    if identity:
        fields["identification"] = Value(identity)
    for each in sets:
        put_set(fields, each)
    if malformed:
        fields["malformed_entries"] = Value(malformed)
    return fields


def readout(data: bytes) -> tuple[str, list[DataSet], int]:
    """Identification line without its slash, the data sets, and how many lines are none. Raises as `decode`."""
    if len(data) > MAX_READOUT + 256:
        raise DecodeError(RejectReason.LONG, f"{len(data)} bytes, at most {MAX_READOUT}")
    if not data.strip():
        raise DecodeError(RejectReason.SHORT, "nothing is there")
    identity, body = b"", data
    if data.startswith(b"/"):
        identity, _, body = data[1:].partition(b"\n")
    body = body.lstrip(b"\r\n")
    if body[:1] == bytes((STX,)):
        body = _checked(body)
    sets, malformed = data_sets(body.decode("latin-1"))
    if not sets:
        raise DecodeError(RejectReason.SYNTAX, "no data set in it")
    return _printable(identity.rstrip(b"\r")), sets, malformed


def _checked(body: bytes) -> bytes:
    """What stands between STX and ETX; the block check is verified where it was received."""
    end = body.find(ETX)
    if end < 0:
        return body[1:]
    if end + 1 < len(body) and bcc(body[1 : end + 1]) != body[end + 1] & 0x7F:
        raise DecodeError(RejectReason.CRC, "the block check character does not match")
    return body[1:end]


def _printable(line: bytes) -> str:
    return "".join(chr(octet) if 0x20 <= octet < 0x7F else f"\\x{octet:02x}" for octet in line[:128])
