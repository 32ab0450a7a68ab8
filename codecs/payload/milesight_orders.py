"""Milesight: the downlinks that its sensors share, with the names of the vendor's encoders.

Source: Milesight-IoT/SensorDecoders (e79c9d8), the encoders beside the decoders: which model knows what, in which form.
Intervals are in seconds or in minutes, by model, as there. Several commands stand behind each other in one payload.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from torhaus.codecs.encoders import Encode, Made
from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.codecs.payload.orders import command, flag, items, unknown, whole

FPORT: Final = 85
"""The vendor's default; it can be set to another."""
_OTHER_NAMES: Final = re.compile(r"-v[123]\Z")
_MOST_S: Final = 64800
_MOST_MIN: Final = 1440
_MAX_PAYLOAD: Final = 51


class _Order(NamedTuple):
    """A command: its name, what its value is, the bytes ('?': the value's place, else behind them), the models."""

    name: str
    kind: str
    form: str
    models: str


_ORDERS: Final = (
    _Order(
        "report_interval", "seconds", "ff 03",
        "am102 am102l am103 am103l am104 am107 am307 am307l am308 am308l am319-hcho am319-hcho-ir "
        "am319-hcho-well am319-o3 am319l-hcho-ir am319l-o3 ds3604 em300-di em300-di-hall em300-mcs "
        "em300-mld em300-sld em300-th em300-zld em310-tilt em310-udl em320-th em320-tilt em400-mud "
        "em400-tld em400-udl em500-co2 em500-lgt em500-pp em500-pt100 em500-smtc em500-swl em500-udl "
        "gs101 gs301 ts101 uc100 uc300 uc501 uc502 uc511 uc512 vs133 vs135 vs330 ws201 ws202 ws301 ws303 "
        "ws501 ws501-cn ws501-eu ws501-us ws502 ws502-cn ws502-eu ws503 ws503-cn ws513 ws515 ws51x ws523 "
        "ws525 ws558 wts506",
    ),
    _Order(
        "report_interval", "minutes", "ff 8e 00",
        "at101 ct101 ct103 ct105 ct303 ct305 ct310 em300-cl em410-rdl ts201 ts201-v2 ts301 ts301-v2 ts302 "
        "ts302-v2 uc521 vs321 vs340 vs341 vs350 vs351 vs360 vs373 ws203 wt101 wt201",
    ),
    _Order(
        "collection_interval", "seconds", "ff 02",
        "em300-di em300-di-hall em300-mcs em300-mld em300-sld em300-th em300-zld em320-th em400-mud "
        "em400-tld em400-udl em500-co2 em500-lgt em500-pp em500-pt100 em500-smtc em500-swl em500-udl "
        "ts101 ts201 ts201-v2 ts301 ts301-v2 ts302 ts302-v2 uc300 uc501 uc502 uc511 uc512 ws201",
    ),
    _Order("collection_interval", "minutes", "ff 02", "ws203"),
    _Order(
        "collection_interval", "minutes", "f9 39",
        "em320-th-v2 em410-rdl",
    ),
    _Order(
        "collection_interval", "minutes", "ff bb 00",
        "em300-cl",
    ),
    _Order(
        "reboot", "do", "ff 10 ff",
        "am102 am102l am103 am103l am104 am107 am307 am307l am308 am308l am319-hcho am319-hcho-ir "
        "am319-hcho-well am319-o3 am319l-hcho-ir am319l-o3 at101 ct101 ct103 ct105 ct303 ct305 ct310 "
        "ds3604 em300-cl em300-di em300-di-hall em300-mcs em300-mld em300-sld em300-th em300-zld "
        "em310-tilt em310-udl em320-th em320-th-v2 em320-tilt em400-mud em400-tld em400-udl em410-rdl "
        "em500-co2 em500-lgt em500-pp em500-pt100 em500-smtc em500-swl em500-udl gs101 ts101 ts201 "
        "ts201-v2 ts301 ts301-v2 ts302 ts302-v2 uc100 uc300 uc501 uc502 uc511 uc512 uc521 vs121 vs132 "
        "vs133 vs135 vs321 vs330 vs340 vs341 vs350 vs351 vs360 vs370 vs373 ws101 ws201 ws202 ws203 ws301 "
        "ws302 ws303 ws501 ws501-cn ws501-eu ws501-us ws502 ws502-cn ws502-eu ws503 ws503-cn ws513 "
        "ws513-v3 ws515 ws515-v3 ws523 ws525 ws558 wt101 wt201 wt211 wts506",
    ),
    _Order(
        "reboot", "do", "be",
        "gs601 wt102 wt303 wt304",
    ),
    _Order(
        "reboot", "do", "ff 10 01",
        "gs301",
    ),
    _Order(
        "report_status", "do", "ff 28 ff",
        "at101 ct101 ct103 ct105 ct303 ct305 ct310 em300-cl em300-mcs em300-mld em300-sld em300-th "
        "em300-zld em320-th em320-th-v2 em500-co2 em500-lgt em500-pp em500-pt100 em500-smtc em500-swl "
        "em500-udl ts201 ts201-v2 ts301 ts301-v2 ts302 ts302-v2 uc100 uc501 uc502 uc511 uc512 uc521 vs350 "
        "vs360 vs373 ws201 ws501 ws501-cn ws501-eu ws501-us ws502 ws502-cn ws502-eu ws503 ws513 ws515 "
        "ws523 ws525 ws558",
    ),
    _Order(
        "report_status", "do", "ff 28 01",
        "em410-rdl wt201",
    ),
    _Order(
        "report_status", "do", "ff 28 00",
        "wt101",
    ),
    _Order(
        "report_status", "do", "ff 94 ff",
        "uc300",
    ),
    _Order(
        "sync_time", "do", "ff 4a 00",
        "at101 em300-di em300-di-hall em310-tilt em320-tilt em400-mud em400-tld em400-udl em500-pt100 "
        "em500-smtc em500-swl ts101 ts201 ts201-v2 ts301 ts301-v2 ts302 ts302-v2 uc100 uc501 uc502 uc511 "
        "uc512 ws203",
    ),
    _Order(
        "sync_time", "do", "ff 4a ff",
        "em410-rdl em500-co2 em500-lgt em500-pp em500-udl uc300 uc521 vs350 vs360 vs370 ws501-cn ws502-cn "
        "ws503-cn wt101 wt201",
    ),
    _Order(
        "clear_history", "do", "ff 27 01",
        "am102 am102l am103 am103l am104 am107 am307 am307l am308 am308l am319-hcho am319-hcho-ir "
        "am319-hcho-well am319-o3 am319l-hcho-ir am319l-o3 em300-di em300-di-hall em300-mcs em300-mld "
        "em300-sld em300-th em300-zld em320-th em320-th-v2 em410-rdl em500-co2 em500-lgt em500-pp "
        "em500-pt100 em500-smtc em500-swl em500-udl ts101 ts201 ts201-v2 ts301 ts301-v2 ts302 ts302-v2 "
        "uc100 uc501 uc502 vs133 vs135 vs351 ws203 wt201 wts506",
    ),
    _Order(
        "clear_history", "do", "ff 27 ff",
        "uc511 uc512",
    ),
    _Order(
        "stop_transmit", "do", "fd 6d ff",
        "am102 am102l am103 am103l am104 am107 am307 am307l am308 am308l am319-hcho am319-hcho-ir "
        "am319-hcho-well am319-o3 am319l-hcho-ir am319l-o3 em300-di em300-di-hall em300-mcs em300-mld "
        "em300-sld em300-th em300-zld em320-th em320-th-v2 em410-rdl em500-co2 em500-lgt em500-pp "
        "em500-pt100 em500-smtc em500-swl em500-udl ts101 ts201 ts201-v2 ts301 ts301-v2 ts302 ts302-v2 "
        "uc100 uc501 uc502 uc511 uc512 vs133 vs135 vs321 vs350 vs351 vs360 vs373 ws203 wt201",
    ),
    _Order(
        "history_enable", "flag", "ff 68",
        "am102 am102l am103 am103l am104 am107 am307 am307l am308 am308l am319-hcho am319-hcho-ir "
        "am319-hcho-well am319-o3 am319l-hcho-ir am319l-o3 em300-di em300-di-hall em300-mcs em300-mld "
        "em300-sld em300-th em300-zld em320-th em320-th-v2 em410-rdl em500-co2 em500-lgt em500-pp "
        "em500-pt100 em500-smtc em500-swl em500-udl ts101 ts201 ts201-v2 ts301 ts301-v2 ts302 ts302-v2 "
        "uc100 uc501 uc502 uc511 uc512 vs133 vs135 vs321 vs350 vs351 vs360 ws203 wt201 wt211",
    ),
    _Order(
        "retransmit_enable", "flag", "ff 69",
        "am102 am102l am103 am103l am104 am107 am307 am307l am308 am308l am319-hcho am319-hcho-ir "
        "am319-hcho-well am319-o3 am319l-hcho-ir am319l-o3 em300-di em300-di-hall em300-mcs em300-mld "
        "em300-sld em300-th em300-zld em320-th em320-th-v2 em410-rdl em500-co2 em500-lgt em500-pp "
        "em500-pt100 em500-smtc em500-swl em500-udl ts101 ts301 ts301-v2 ts302 ts302-v2 uc100 uc501 uc502 "
        "uc511 uc512 vs133 vs135 vs321 vs350 vs351 vs360 vs373 ws203 wt201 wt211",
    ),
    _Order(
        "buzzer_enable", "flag", "ff 3e",
        "am307 am307l am308 am308l am319-hcho am319-hcho-ir am319-hcho-well am319-o3 am319l-hcho-ir "
        "am319l-o3 ds3604 gs301 vs373 ws101 ws303",
    ),
    _Order(
        "confirm_mode_enable", "flag", "ff 04",
        "uc100 vs121 vs132 vs133 vs135 vs351 vs373",
    ),
    _Order(
        "power_consumption_enable", "flag", "ff 26",
        "ws501-eu ws501-us ws502-eu ws513 ws513-v3 ws515 ws515-v3 ws523 ws525 ws558",
    ),
    _Order(
        "socket_status", "flag", "08 ? ff ff",
        "ws513 ws515 ws523 ws525",
    ),
)  # fmt: skip
_BY_MODEL: Final[dict[str, dict[str, _Order]]] = {}
for _order in _ORDERS:
    for _model in _order.models.split():
        _BY_MODEL.setdefault(_model, {})[_order.name] = _order


def encoder(model: str) -> Encode | None:
    """Of a model; None for one that has no downlinks here. Those with another decoder's names are the model itself."""
    orders = _BY_MODEL.get(model) or _BY_MODEL.get(_OTHER_NAMES.sub("", model))
    if orders is None:
        return None

    def encode(data: Mapping[str, Any]) -> Made:
        """One downlink. Raises DecodeError SYNTAX, RANGE, LONG or UNSUPPORTED."""
        payload = b""
        for name, value in items(data).items():
            if name not in orders:
                raise unknown(name, orders)
            payload += _written(orders[name], value)
        if len(payload) > _MAX_PAYLOAD:
            raise DecodeError(RejectReason.LONG, f"{len(payload)} bytes: more than every data rate takes")
        return Made(payload, FPORT)

    return encode


def _written(order: _Order, value: object) -> bytes:
    if order.kind == "do":
        command(order.name, value)
        return bytes.fromhex(order.form)
    if order.kind == "flag":
        raw = bytes([flag(order.name, value)])
    else:
        raw = whole(order.name, value, 1, _MOST_S if order.kind == "seconds" else _MOST_MIN).to_bytes(2, "little")
    before, _, behind = order.form.partition("?")
    return bytes.fromhex(before) + raw + bytes.fromhex(behind)
