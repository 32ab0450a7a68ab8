"""nke Watteco TIC: what French electricity meters say at their customer's interface. Source and shape: watteco.py.

Clusters 0x0053 (ICE: attribute 0 in general, 1 this period, 2 the one before), 0x0054 (CBE, "historique"), 0x0055
(CJE), 0x0056 (Linky, "standard"), 0x0057 (PME-PMI). The value begins with a descriptor of which fields follow:

    bit 7 obsolete, bit 5 numbers (else one bit for each field, the last byte first), bits 4 to 0 its size (0: 8)

Names are the meter's in lower snake case. Dates are texts, in the order in which the meter has them, local time; those
that are counted in seconds from 2000 on (PME-PMI) are day/month/year, time in France.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.layout.compact import row
from torhaus.codecs.layout.field import run
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Scalar, Value

_NOTHING: Final = ("!?!", "*", "")
_OTHER: Final = ("ACTIF", "ACTIF", "CONSO", "CONTROLE", "DEP", "INACTIF", "PROD", "TEST", "kVA", "kW")
_PERIODS: Final = (
    "?", "000", "HC", "HCD", "HCE", "HCH", "HH", "HH", "HP", "HP", "HPD", "HPE", "HPH", "JA", "JA", "P", "P", "PM",
    "PM", "XXX",
)  # fmt: skip
_CONTRACTS: Final = (
    "BT 4 SUP36", "BT 5 SUP36", "HTA 5", "HTA 8", "TJ EJP", "TJ EJP-HH", "TJ EJP-PM", "TJ EJP-SD", "TJ LU",
    "TJ LU-CH", "TJ LU-P", "TJ LU-PH", "TJ LU-SD", "TJ MU", "TV A5 BASE", "TV A8 BASE", "BASE", "H PLEINE-CREUSE",
    "HPHC", "HC", "HC et Week-End", "EJP", "PRODUCTEUR",
)  # fmt: skip
_LINKY_PERIODS: Final = (
    *_PERIODS, "INDEX NON CONSO", "BASE", "HEURE CREUSE", "HEURE PLEINE", "HEURE NORMALE", "HEURE POINTE", "HC BLEU",
    "BUHC", "HP BLEU", "BUHP", "HC BLANC", "BCHC", "HP BLANC", "BCHP", "HC ROUGE", "RHC", "HP ROUGE", "RHP",
    "HEURE WEEK-END",
)  # fmt: skip
_WORDS: Final = {
    "word": (*_NOTHING, *_OTHER),
    "period": (*_NOTHING, *_PERIODS),
    "contract": (*_NOTHING, *_CONTRACTS),
    "linky_period": (*_NOTHING, *_LINKY_PERIODS),
}
_NUMBERS: Final = {"u8", "u16", "i16", "u24", "u32", "f32"}
_TARIFFS: Final = ("p", "pm", "hce", "hch", "hh", "hcd", "hd", "ja", "hpe", "hph", "hpd", "scm", "hm", "dsm")
_DAY_ZERO: Final = datetime(2000, 1, 1, tzinfo=UTC)


def _dated(*numbers: int) -> list[str]:
    return [part for n in numbers for part in (f"datepa{n} date", f"pa{n} u16 kW")]


def _period(tail: str) -> list[str]:
    """One billing period of an ICE: energies by tariff."""
    lines = [f"debut{tail} date", f"fin{tail} date", f"caf{tail} u16"]
    for what, unit in (("ea", "kW.h"), ("erp", "kvar.h"), ("ern", "kvar.h")):
        lines += [f"date{what}{tail} date", *(f"{what}{tail}{tariff} u24 {unit}" for tariff in _TARIFFS)]
    return lines


def _parts(name: str, count: int, kind: str = "u24") -> list[str]:
    return [f"{name}_{n} {kind}" for n in range(1, count + 1)]


_ICE: Final = [
    "contrat text", "datecour date", "date date", "ea u24 W.h", "erp u24 var.h", "ptcour text", "preavis text",
    "mode none", *_dated(1, 2, 3, 4, 5, 6), "p u24", "kdc u8 %", "kdcd u8 %", "tgphi f32",
    *(f"ps{name} u16 kW" for name in ("p", "pm", "hph", "hpd", "hch", "hcd", "hpe", "hce", "ja", "hh", "hd", "hm",
                                      "dsm", "scm")),
    "mode none", "pa1mn u16 kW", "pa10mn u16 kW", "prea1mn i16 kvar", "prea10mn i16 kvar", "tgphi f32", "u10mn u16 V",
]  # fmt: skip
_CBE: Final = [
    "adir1 u16 A", "adir2 u16 A", "adir3 u16 A", "adco text", "optarif text", "isousc u8 A",
    *(f"{name} u32 W.h" for name in ("base", "hchc", "hchp", "ejphn", "ejphpm", "bbrhcjb", "bbrhpjb", "bbrhcjw",
                                     "bbrhpjw", "bbrhcjr", "bbrhpjr")),
    "pejp u8 min", "gaz u32", "autre u32", "ptec text", "demain text",
    *(f"{name} u16 A" for name in ("iinst", "iinst1", "iinst2", "iinst3", "adps", "imax", "imax1", "imax2", "imax3")),
    "pmax u32 W", "papp u32 VA", "hhphc char", "motdetat text", "ppot u8",
]  # fmt: skip
_CJE: Final = [
    "jaune_date hour_day", "jaune_pt text", "jaune_dp text", "jaune_p u24", "jaune_kp u8", *_parts("energ", 6),
    "percc_date day_hour", "percc_cg u8", *_parts("pmaxc", 4), *_parts("tdepa", 4), "percp_date day_hour",
    "percp_cg u8", *_parts("pmaxp", 4), *_parts("psousc", 4), *_parts("psousp", 4), "fcou_time hour", "fcou_dd u8",
]  # fmt: skip
_LINKY: Final = [
    "adsc text", "vtic u8", "date season", "ngtf contract", "ltarf linky_period", "east u32 W.h",
    *(f"easf{n:02} u32 W.h" for n in range(1, 11)), *(f"easd{n:02} u32 W.h" for n in range(1, 5)), "eait u32 W.h",
    *(f"erq{n} u32 var.h" for n in range(1, 5)), *(f"irms{n} u16 A" for n in (1, 2, 3)),
    *(f"urms{n} u16 V" for n in (1, 2, 3)), "pref u8 kVA", "pcoup u8 kVA",
    *(f"sinsts{n} u24 VA" for n in ("", 1, 2, 3)), *(f"smaxsn{n} season_u24 VA" for n in ("", 1, 2, 3)),
    *(f"smaxsn{n}_1 season_u24 VA" for n in ("", 1, 2, 3)), "sinsti u24 VA", "smaxin season_u24 VA",
    "smaxin_1 season_u24 VA", *(f"cca{n} season_u24 W" for n in ("sn", "sn_1", "in", "in_1")),
    *(f"umoy{n} season_u16 V" for n in (1, 2, 3)), "stge bits32",
    *(f"{edge}pm{n} season_u8" for n in (1, 2, 3) for edge in "df"), "msg1 text", "msg2 text", "prm text",
    "relais u8", "ntarf u8", "njourf u8", "njourf_1 u8", "pjourf_1 calendar", "ppointe calendar",
]  # fmt: skip
_SIGNED: Final = ("er_plus", "er_minus")
_PME: Final = [
    "trame word", "ads hex", "mesures1 contract", "date date",
    *(f"{name}_{side} u24 {unit}" for side in "si" for name, unit in
      (("ea", "W.h"), ("er_plus", "var.h"), ("er_minus", "var.h"), ("eapp", "VA.h"))),
    "ptcour1 period", "tarifdyn word", "etatdyn1 period", "preavis1 period",
    *(f"tdyn1{part} since_period" for part in ("cd", "cf", "fd", "ff")), "mode word", "config word",
    "datepa1 date", "pa1_s u16 kW", "pa1_i u16 kW",
    *(line for n in range(2, 7) for line in (f"datepa{n} since", f"pa{n}_s u16 kW", f"pa{n}_i u16 kW")),
    "deb_p since", "eap_s u24 kW.h", "eap_i u24 kW.h",
    *(f"{sign}_p_{side} u24 kvar.h" for side in "si" for sign in _SIGNED), "deb_p_1 since", "fin_p_1 since",
    "eap_1_s u24 kW.h", "eap_1_i u24 kW.h", *(f"{sign}_p_1_{side} u24 kvar.h" for side in "si" for sign in _SIGNED),
    "ps u24_word", "preavis word", "pa1mn u16 kW", "pmax_s u24_word", "pmax_i u24_word", "tgphi_s f32", "tgphi_i f32",
    "mesures2 contract", "ptcour2 period", "etatdyn2 period", "preavis2 period",
    *(f"tdyn2{part} since_period" for part in ("cd", "cf", "fd", "ff")), "deb_p_2 since", "eap_s2 u24 kW.h",
    "deb_p_1_2 since", "fin_p_1_2 since", "eap_1_s2 u24 kW.h", "ddmes1 u24 s",
]  # fmt: skip
_FRAMES: Final = {
    (0x53, 0): ("ICE Generale", _ICE),
    (0x53, 1): ("ICE Periode P", _period("p")),
    (0x53, 2): ("ICE Periode P moins 1", _period("p1")),
    (0x54, 0): ("CBE/Historique", _CBE),
    (0x55, 0): ("CJE", _CJE),
    (0x56, 0): ("Standard", _LINKY),
    (0x57, 0): ("PMEPMI", _PME),
}
CLUSTERS: Final = frozenset(cluster for cluster, _ in _FRAMES)


def read_tic(cluster: int, attribute: int, raw: bytes, out: Fields) -> None:
    """Fields of one frame; what follows a field that no table has is `tic_rest`, as hex.

    Raises DecodeError SHORT, RANGE or UNKNOWN_TYPE.
    """
    frame = _FRAMES.get((cluster, attribute & 0xFF))
    if frame is None:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"attribute {attribute:#06x} of cluster {cluster:#06x}")
    cursor = Cursor(raw)
    head = cursor.u8()
    size = head & 0x1F or 8
    descriptor = cursor.take(size - 1)
    if head & 0x20:
        present = list(descriptor)
    else:
        bits = int.from_bytes(descriptor, "big")
        present = [n for n in range(8 * len(descriptor)) if bits >> n & 1]
    out["tic_frame_type"] = Value(frame[0])
    if head & 0x80:
        out["descriptor_obsolete"] = Value(True)
    out["descriptor_bytes"] = Value(raw[:size].hex().upper())
    for n, index in enumerate(present):
        out[f"descriptor_indexes_{n}"] = Value(index)
    for index in present:
        if index >= len(frame[1]):
            out["tic_rest"] = Value(cursor.rest().hex())
            return
        name, kind, *unit = frame[1][index].split()
        _read(cursor, name, kind, unit[0] if unit else None, out)


def _read(cursor: Cursor, name: str, kind: str, unit: str | None, out: Fields) -> None:
    if kind in _NUMBERS:
        cursor.pos = run(row(f"{name} {kind}" + (f" {unit}" if unit else "")), cursor.data, cursor.pos, out)
    elif kind == "text":
        out[name] = Value(_text(cursor))
    elif kind == "char":
        out[name] = Value(cursor.take(1).decode("ascii", "replace"))
    elif kind == "hex":
        out[name] = Value(cursor.take(cursor.u8()).hex().upper())
    elif kind == "bits32":
        out[name] = Value(cursor.take(4).hex().upper())
    elif kind in _WORDS:
        out[name] = Value(_word(cursor, kind))
    elif kind == "u24_word":
        out[f"{name}_value"] = Value(cursor.ube(3))
        out[f"{name}_label"] = Value(_word(cursor, "word"))
    elif kind.startswith("season"):
        out[f"{name}_s"] = Value(cursor.take(1).decode("ascii", "replace"))
        out[f"{name}_date"] = Value(_date(cursor))
        if kind != "season":
            out[f"{name}_value"] = Value(cursor.ube(int(kind.removeprefix("season_u")) // 8), unit)
    elif kind == "since_period":
        out[f"{name}_date"] = Value(_since(cursor))
        out[f"{name}_label"] = Value(_word(cursor, "period"))
    elif kind == "calendar":
        _calendar(cursor, name, out)
    elif kind != "none":
        out[name] = Value(_TIMES[kind](cursor))


def _text(cursor: Cursor) -> str:
    end = cursor.data.find(b"\0", cursor.pos)
    if end < 0:
        raise DecodeError(RejectReason.SHORT, "a text without end")
    text = cursor.take(end - cursor.pos).decode("ascii", "replace")
    cursor.u8()
    return text


def _word(cursor: Cursor, kind: str) -> Scalar:
    """A number for a word, one less than its place; or the word itself, behind its length with bit 7 set."""
    first = cursor.u8()
    if first & 0x80:
        return cursor.take(first & 0x7F).decode("ascii", "replace")
    words = _WORDS[kind]
    return words[first + 1] if first + 1 < len(words) else first


def _date(cursor: Cursor) -> str:
    a, b, c, hour, minute, second = cursor.take(6)
    return f"{a:02}/{b:02}/{c:02} {hour:02}:{minute:02}:{second:02}"


def _since(cursor: Cursor) -> str:
    """Seconds from 2000 on, UTC, as time in France: summer time from the last Sunday of March to that of October."""
    at = _DAY_ZERO + timedelta(seconds=cursor.ube(4))
    begin, end = (_last_sunday(at.year, month) for month in (3, 10))
    return (at + timedelta(hours=2 if begin <= at < end else 1)).strftime("%d/%m/%y %H:%M:%S")


def _last_sunday(year: int, month: int) -> datetime:
    """One o'clock UTC of it, when the time changes."""
    last = datetime(year, month, 31, 1, tzinfo=UTC)
    return last - timedelta(days=last.isoweekday() % 7)


def _hour_day(cursor: Cursor) -> str:
    hour, minute, day, month = cursor.take(4)
    return f"{day:02}/{month:02} {hour:02}:{minute:02}"


def _day_hour(cursor: Cursor) -> str:
    day, month, hour = cursor.take(3)
    return f"{day:02}/{month:02} {hour:02}"


def _hour(cursor: Cursor) -> str:
    hour, minute = cursor.take(2)
    return f"{hour:02}:{minute:02}"


_TIMES: Final = {"date": _date, "since": _since, "hour_day": _hour_day, "day_hour": _day_hour, "hour": _hour}


def _calendar(cursor: Cursor, name: str, out: Fields) -> None:
    """Eleven times of switching of the next day, each with its bits; 0xff: not used."""
    for n in range(11):
        hour = cursor.u8()
        if hour != 0xFF:
            out[f"{name}_{n}_time"] = Value(f"{hour:02}:{cursor.u8():02}")
            out[f"{name}_{n}_status"] = Value(cursor.take(2).hex().upper())
