"""What tables of keys are named by: a DevEUI, a DevAddr, or a wireless meter's number behind `wmbus:`."""

from typing import Final

from torhaus.codecs.lorawan.eui import format_dev_addr, format_eui64, parse_dev_addr, parse_eui64
from torhaus.codecs.meter.wmbus.address import parse_name
from torhaus.codecs.model import DecodeError
from torhaus.daemon.config.expect import quote

WMBUS: Final = "wmbus:"
"""What the name of a wireless meter's table of keys begins with."""
MUST_BE: Final = 'must be a table named by a DevEUI (16 hex digits), a DevAddr (8), or "wmbus:" and a meter\'s number'


def keys_id_of(name: str) -> str | None:
    """The name of a table of keys, made uniform; None when it is none."""
    try:
        if name.startswith(WMBUS):
            return WMBUS + parse_name(name.removeprefix(WMBUS))
        return format_dev_addr(parse_dev_addr(name)) if len(name) < 12 else format_eui64(parse_eui64(name))
    except (DecodeError, ValueError):
        return None


def meter_name(wmbus: str, *, is_lorawan: bool) -> str:
    """A wireless meter's name in the list of devices, made uniform. ValueError says what would be right."""
    try:
        name = parse_name(wmbus)
    except ValueError as e:
        raise ValueError(f"wmbus: is {quote(wmbus)}, {e}") from None
    if is_lorawan:
        raise ValueError("wmbus: cannot be together with dev_eui or dev_addr: they are two devices")
    return name
