"""Every native codec by name: one line each. Modules are imported when a codec is first asked for.

A family has one codec for each model, `family:model`: its module has `MODELS` (the models' names),
`decoder(model)` and `variant(model)`, which knows how device repositories write them; where a model has codecs with
other published names as well, `variants(model)` tells them.
"""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Final

from torhaus.codecs.model import Fields

Decode = Callable[[bytes, int | None], Fields]
"""A codec: payload bytes and FPort (None where the protocol has none) to fields. Raises DecodeError only."""

CODECS: Final[dict[str, str]] = {
    "barcode": "torhaus.codecs.text.barcode",
    "cayenne_lpp": "torhaus.codecs.payload.cayenne_lpp",
    "comtac_cm2": "torhaus.codecs.payload.comtac_cm2",
    "comtac_cm4": "torhaus.codecs.payload.comtac_cm4",
    "comtac_klax": "torhaus.codecs.payload.comtac_klax",
    "comtac_lpn_do": "torhaus.codecs.payload.comtac_lpn_do",
    "comtac_lpn_km": "torhaus.codecs.payload.comtac_lpn_km",
    "comtac_ms3": "torhaus.codecs.payload.comtac_ms3",
    "comtac_td1": "torhaus.codecs.payload.comtac_td1",
    "dsmr": "torhaus.codecs.meter.dsmr",
    "elsys": "torhaus.codecs.payload.elsys",
    "iec62056": "torhaus.codecs.meter.iec62056",
    "line": "torhaus.codecs.text.line",
    "mbus": "torhaus.codecs.meter.mbus.telegram",
    "modbus": "torhaus.codecs.meter.modbus",
    "netvox": "torhaus.codecs.payload.netvox",
    "nmea": "torhaus.codecs.text.nmea",
    "sensative_strips": "torhaus.codecs.payload.sensative",
    "sml": "torhaus.codecs.meter.sml",
    "wmbus": "torhaus.codecs.meter.wmbus.telegram",
}
"""Name to module. Each module has `decode` and, beside it, `<module>.vectors.toml` with its golden vectors."""

EVENTS: Final = frozenset({"barcode"})
"""Codecs of which every payload is something that happened, not a state: their records are events, not readings."""

FAMILIES: Final[dict[str, str]] = {
    "adeunis": "torhaus.codecs.payload.adeunis",
    "decentlab": "torhaus.codecs.payload.decentlab",
    "dragino": "torhaus.codecs.payload.dragino",
    "milesight": "torhaus.codecs.payload.milesight",
    "sensative": "torhaus.codecs.payload.sensative_square",
    "tektelic": "torhaus.codecs.payload.tektelic",
    "watteco": "torhaus.codecs.payload.watteco",
}
"""Family to module. Vectors as above, each with its `model`."""


def models(family: str) -> tuple[str, ...]:
    """The models of a family, sorted. KeyError when there is no such family."""
    return tuple(sorted(import_module(FAMILIES[family]).MODELS))


def variant(family: str, model: str) -> str | None:
    """The family's name for a model as device repositories write it; None when the family has no codec for it."""
    module = import_module(FAMILIES[family])
    found: str | None = module.variant(model)
    return found


def variants(name: str) -> tuple[str, ...]:
    """Codecs that give the same model's values other published names; none for a codec that is of no family."""
    family, colon, model = name.partition(":")
    others = getattr(import_module(FAMILIES[family]), "variants", None) if colon else None
    return () if others is None else tuple(f"{family}:{other}" for other in others(model))


def is_codec(name: str) -> bool:
    """Whether there is a codec of this name."""
    try:
        load(name)
    except KeyError:
        return False
    return True


def names() -> Iterator[str]:
    """Every codec's name, families' models one by one."""
    yield from sorted(CODECS)
    for family in sorted(FAMILIES):
        yield from (f"{family}:{model}" for model in models(family))


def load(name: str) -> Decode:
    """The codec's decode function. KeyError when there is no such codec."""
    family, colon, model = name.partition(":")
    decode: Decode
    decode = import_module(FAMILIES[family]).decoder(model) if colon else import_module(CODECS[name]).decode
    return decode
