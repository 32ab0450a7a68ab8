"""What the names of wmbusmeters' values say about the record they come from.

A name is a row of words and its unit at the end: `target_energy_consumption_tariff_2_kwh` is energy, of a storage other
than 0, tariff 2. Its drivers choose the words; what most of them mean by a word is here, what only one of them means is
in torhaus.daemon.vectors.wmbus_drivers. A name with a word that is in neither leaves open what it does not say:
storage, tariff and subunit are not compared then, while unit, quantity and function are.

Read: the manual of wmbusmeters (fields, matchers) and the telegrams beside its drivers.
"""

import re
from typing import Final

import msgspec

_J_PER_KWH: Final = 3.6e6
_YEAR_S: Final = 365 * 86400.0
_MEAN_YEAR_S: Final = 365.2425 * 86400
Unit = tuple[str | None, float]
UNITS: Final[dict[str, tuple[Unit, ...]]] = {
    "kwh": (("W.h", 1e-3), ("J", 1 / _J_PER_KWH), ("cal", 4.1868 / _J_PER_KWH)), "mj": (("J", 1e-6),),
    "gj": (("J", 1e-9),), "kw": (("W", 1e-3), ("J/h", 1 / _J_PER_KWH)), "w": (("W", 1.0),),
    "m3": (("m3", 1.0),), "l": (("m3", 1e3),),
    "m3h": (("m3/h", 1.0), ("m3/min", 60.0), ("m3/s", 3600.0)), "lh": (("m3/h", 1e3),),
    "c": (("Cel", 1.0), ("K", 1.0)), "v": (("V", 1.0),), "a": (("A", 1.0),), "hz": (("Hz", 1.0),),
    "bar": (("bar", 1.0),), "rh": (("%", 1.0),), "kvarh": (("var.h", 1e-3),), "kvar": (("var", 1e-3),),
    "kvah": (("V.A.h", 1e-3),), "kva": (("V.A", 1e-3),), "dbm": (("dB[mW]", 1.0),),
    "y": (("s", 1 / _YEAR_S), ("s", 1 / _MEAN_YEAR_S), ("a", 1.0)), "month": (("mo", 1.0),), "d": (("s", 1 / 86400),),
    "h": (("s", 1 / 3600),), "min": (("s", 1 / 60),), "s": (("s", 1.0),),
}  # fmt: skip
"""The end of an expected name to our units, and what they are multiplied by. Other ends have no unit."""
_PLAIN: Final[tuple[Unit, ...]] = ((None, 1.0),)
_QUANTITIES: Final = {
    "kwh": "energy", "mj": "energy", "gj": "energy", "kw": "power", "w": "power", "m3": "volume", "l": "volume",
    "m3h": "volume_flow", "lh": "volume_flow", "c": ".*temperature.*", "v": "voltage", "a": "current",
    "hz": "frequency", "bar": "pressure", "rh": "relative_humidity", "kvarh": "reactive_energy",
    "kvar": "reactive_power", "kvah": "apparent_energy", "kva": "apparent_power", "hca": "heat_cost_allocator",
    "date": "date", "datetime": "time", "dbm": "rf_level",
}  # fmt: skip
"""The end of a name to the quantity that our name begins with."""
_PAST: Final = frozenset({
    "target", "set", "due", "history", "historic", "prev", "previous", "last", "old", "key", "ago", "base", "period",
})  # fmt: skip
"""Words for a value of another time: its storage is not 0, or it is in a profile. Extremes may be in any storage."""
_SPANS: Final = frozenset({"year", "month"})
_NOTHING: Final = frozenset({
    "total", "current", "consumption", "energy", "volume", "water", "heat", "heating", "temperature", "temp", "flow",
    "power", "voltage", "battery", "pressure", "relative", "humidity", "frequency", "meter", "device", "message",
    "date", "datetime", "time", "remaining", "life", "operating", "on", "at", "in", "actuality", "duration",
    "counter", "half", "months", "delta", "average", "nr", "t", "tariff", "subunit", "",
})  # fmt: skip
"""Words that are the quantity itself, or add nothing to the others."""
_QUANTITY_WORDS: Final = {
    ("c", "flow"): "flow_temperature", ("c", "supply"): "flow_temperature", ("c", "forward"): "flow_temperature",
    ("c", "return"): "return_temperature", ("c", "difference"): "temperature_difference",
    ("c", "external"): "external_temperature", ("c", "room"): "external_temperature",
    ("c", "t1"): "flow_temperature", ("c", "t2"): "return_temperature",
    ("h", "on"): "on_time", ("h", "operating"): "operating_time", ("y", "operating"): "operating_time",
    ("h", "actuality"): "actuality_duration", ("s", "actuality"): "actuality_duration",
    ("y", "battery"): "battery_remaining",
}  # fmt: skip
"""The quantity where the unit leaves it open: by the name's end and a word."""
_FUNCTIONS: Final = {"max": "max", "min": "min", "error": "error"}
_BACKWARD: Final = frozenset({"backward", "backwards", "production"})
_OURS: Final = re.compile(
    r"(?P<quantity>.+?)(?P<phase>\d*)(?:_(?P<function>max|min|error))?(?:_storage_(?P<storage>\d+))?"
    r"(?:_tariff_(?P<tariff>\d+))?(?:_subunit_(?P<subunit>\d+))?(?:_value_(?P<value>\d+))?(?:_\d+)?"
)
_KNOWN: Final = _PAST | _SPANS | _NOTHING | _BACKWARD | _FUNCTIONS.keys() | {word for _, word in _QUANTITY_WORDS}
_NUMBERS: Final = ("storage", "tariff", "subunit", "value", "phase")


class Place(msgspec.Struct, frozen=True):
    """Where a value of ours stands in a telegram: its quantity and function, and five numbers.

    `value`: which one of a profile, from 1. `phase`: what the quantity ends in, as in `voltage_l2`.
    """

    quantity: str
    function: str
    storage: int = 0
    tariff: int = 0
    subunit: int = 0
    value: int = 0
    phase: int = 0

    def numbers(self) -> tuple[int, ...]:
        """What counts up in a series."""
        return self.storage, self.tariff, self.subunit, self.value, self.phase


class Meaning(msgspec.Struct, frozen=True):
    """What a name asks of a place; None leaves that open. `series`: the name without its number, where it has one.

    `time`: words and number that a value of another time shares with its date.
    """

    units: tuple[Unit, ...]
    quantity: str | None = None
    function: str | None = None
    is_past: bool | None = None
    tariff: int | None = None
    subunit: int | None = None
    series: str = ""
    number: int = 0
    time: tuple[str, ...] = ()

    def fits(self, place: Place) -> bool:
        """Whether a value in this place may be meant."""
        return (
            (self.quantity is None or re.fullmatch(self.quantity, place.quantity) is not None)
            and (self.function is None or self.function == place.function)
            and (self.is_past is None or self.is_past == (place.storage > 0 or place.value > 0))
            and (self.tariff is None or self.tariff == place.tariff)
            and (self.subunit is None or self.subunit == place.subunit)
        )


def place_of(name: str) -> Place:
    """A field's name taken apart."""
    found = _OURS.fullmatch(name)
    assert found is not None  # any name is at least a quantity
    return Place(found["quantity"], found["function"] or "", *(int(found[part] or 0) for part in _NUMBERS))


def meaning_of(name: str, *, is_moment: bool = False) -> Meaning:
    """What an expected name says."""
    words = name.split("_")
    end = "datetime" if words[-1] == "time" else words[-1]
    units = UNITS.get(end, _PLAIN)
    spoken = words[:-1] if end in UNITS or end in _QUANTITIES else words
    numbered = re.search(r"(?<![a-z0-9])(?:subunit|tariff|phase|l)?_?(\d+)(?![a-z0-9])", name)
    digits = re.findall(r"(tariff|subunit)_?(\d+)", name)
    told = {kind: int(number) for kind, number in digits}
    plain = [re.sub(r"\d+h?$", "", word) for word in spoken]
    is_past = bool(_PAST & set(plain)) or "at_date" in name or re.search(r"_\d+h_", name) is not None
    is_open = not _KNOWN.issuperset(plain)
    quantity = "date|time" if is_moment else _QUANTITIES.get(end)
    for word in (*plain, *spoken):
        quantity = _QUANTITY_WORDS.get((end, word), quantity)
    if quantity is not None:
        way = "_backward" if _BACKWARD & set(plain) else "(?!.*_backward|_flow)"
        quantity = f"(?:{quantity}){way}(?:_.+)?"
    function = next((_FUNCTIONS[word] for word in plain if word in _FUNCTIONS), "")
    series = f"{name[: numbered.start(1)]}#{name[numbered.end(1) :]}" if numbered else ""
    past = tuple(sorted((_PAST | _SPANS) & set(plain))) if _PAST & set(plain) else ()
    return Meaning(
        units, quantity, function,
        None if is_open or function else is_past,
        told.get("tariff", None if is_open else 0), told.get("subunit", None if is_open else 0),
        series, int(numbered[1]) if numbered else 0,
        (*past, numbered[1] if numbered else "") if past and not is_open else (),
    )  # fmt: skip
