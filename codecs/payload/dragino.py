"""Dragino sensors (LHT, LSE, LDDS, LWL, LDS, LSN50 …): a fixed structure for each model and FPort.

Source: the decoders that Dragino published in TheThingsNetwork/lorawan-devices (2022-09-03, Apache-2.0). Units are in
them only in part: the others follow from the quantity and the scale.

The codec's name carries the model: `dragino:lht65`. Names are the vendor's in lower snake case. Where the vendor's
decoder returns a number as text ("21.40"), this is a number; "Invalid Reading" and "No Sensor" stay what they are.
Times are UTC.
"""

import re
from typing import Final

from torhaus.codecs.layout.field import run
from torhaus.codecs.model import DecodeError, Fields, RejectReason
from torhaus.codecs.payload.dragino_doors import Port
from torhaus.codecs.payload.dragino_models import FORMATS
from torhaus.codecs.registry import Decode

MAX_PAYLOAD: Final = 255
MODELS: Final = frozenset(FORMATS)
_SPELLED: Final = {
    **dict.fromkeys(("gropoint", "gropointairv1"), "gropoint-air"),
    "ldds20-115": "ldds75",
    "lsn50": "lsn50-v2",
    "lsn50v2": "lsn50-v2",
    "lht65n-ne117": "lht65n",
    **dict.fromkeys(("d20-lb", "d20s-lb", "d22-lb"), "d23-lb"),
    **dict.fromkeys(("lsn50v2-d20-d22", "lsn50v2-d22", "lsn50v2-d23"), "lsn50v2-d20-d22-d23"),
    "lsn50v2-s31b": "lsn50v2-s31",
    "lt-22222-l": "lt22222-l",
    "lt-33222-l": "lt33222-l",
    "s31b-lb": "s31-lb",
    **dict.fromkeys(("sn50v3-lbls", "sn50-v3-lb", "sn50-v3-lb-ls", "sn50-v3"), "sn50v3-lb"),
    "sw3lb": "sw3l",
}
_VERSION: Final = re.compile(r"-v\d\Z")
"""Of the model's file in the repository."""


def variant(model: str) -> str | None:
    """The model's name as device repositories write it; None when it has no codec here."""
    name = model.lower().replace("_", "-")
    if name not in MODELS:
        name = _VERSION.sub("", name.removesuffix("-ls") + "-lb" if name.endswith("-ls") else name)
    name = _SPELLED.get(name, name)
    return name if name in MODELS else None


def decoder(model: str) -> Decode:
    """The codec of a model. KeyError when there is none of that name."""
    return _Codec(model, FORMATS[model])


class _Codec:
    """One model's codec: by FPort, then by the payload's own choice where there is one."""

    __slots__ = ("_model", "_ports")

    def __init__(self, model: str, ports: dict[int, Port]) -> None:
        self._model = model
        self._ports = ports

    def __call__(self, data: bytes, fport: int | None = None) -> Fields:
        """Fields of one uplink. Raises DecodeError SHORT, LONG or UNKNOWN_TYPE."""
        found = self._ports.get(fport or 0)
        if found is None:
            raise DecodeError(RejectReason.UNKNOWN_TYPE, f"nothing is defined on FPort {fport} of {self._model}")
        length, steps, more = found
        if not length[0] <= len(data) <= length[1]:
            reason = RejectReason.SHORT if len(data) < length[0] else RejectReason.LONG
            raise DecodeError(reason, f"{len(data)} bytes, {self._model} sends {length[0]} to {length[1]}")
        fields: Fields = {}
        run(steps, data, 0, fields)
        if more is not None:
            more(data, fields)
        return fields
