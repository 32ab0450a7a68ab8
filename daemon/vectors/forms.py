"""Which form a line has, and which module compares lines of that form: one line each."""

from importlib import import_module
from typing import Final

from torhaus.daemon.vectors.base import Check, Line

FORMS: Final[dict[str, str]] = {
    "downlink": "torhaus.daemon.vectors.downlink",
    "iec62056": "torhaus.daemon.vectors.iec62056",
    "lorawan": "torhaus.daemon.vectors.lorawan",
    "mbus": "torhaus.daemon.vectors.mbus",
    "payload": "torhaus.daemon.vectors.payload",
    "sml": "torhaus.daemon.vectors.sml",
    "wmbus": "torhaus.daemon.vectors.wmbus",
}
"""Form to a module with `check(line, tools)`."""


def form_of(line: Line) -> str:
    """The form of a line by the keys that it has."""
    if "telegram" in line:
        return "wmbus"
    if "raw_hex" in line or ("text" in line and "kind" in line):
        return "iec62056"
    if "phy_payload" in line or "function" in line:
        return "lorawan"
    if "both_decoders_agree" in line:
        return "sml"
    if str(line.get("direction", "")).startswith("downlink"):
        return "downlink"
    if "kind" in line and "hex" in line:
        return "mbus"
    return "payload"


def check_of(line: Line) -> Check:
    """What compares this line. ValueError when nothing does."""
    form = form_of(line)
    if form not in FORMS:
        raise ValueError(f"there is no codec for lines of the form {form}")
    check: Check = import_module(FORMS[form]).check
    return check
