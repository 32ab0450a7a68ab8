"""How a device is, for the list of all and for its own page."""

from torhaus.codecs.model import Fields
from torhaus.daemon.lora.radio_link import RadioView
from torhaus.daemon.page.html import Html
from torhaus.daemon.page.language import Language
from torhaus.daemon.page.parts import Level, chip, said
from torhaus.daemon.page.view import Ask
from torhaus.daemon.watch import UNREADABLE

MAINS, FULL = 0, 254
"""DevStatusAns (LoRaWAN 1.0.4 section 5.5): 0 is an external supply, 1 to 254 the battery, 255 not known."""


def radio_views(ask: Ask) -> dict[str, RadioView]:
    """How devices are heard that are answered here, by name."""
    standalone = ask.site.joining.standalone
    return {v.device: v for v in standalone.mac.views()} if standalone is not None else {}


def state(ask: Ask, name: str, last_ns: int, *, is_late: bool) -> Html:
    """How a device is, in a word."""
    refused = ask.site.watch.undecoded.get(name)
    if refused is not None and (not last_ns or refused[0] >= UNREADABLE):
        return chip("warn", ask.t("state.undecoded"))
    level: Level = "warn" if is_late else "good" if last_ns else "off"
    return chip(level, ask.t("state.overdue" if is_late else "state.heard" if last_ns else "state.never"))


def battery(t: Language, radio: RadioView | None, fields: Fields | None) -> str:
    """What it says of its battery: on the radio's own question, or among its readings."""
    if radio is not None and radio.battery is not None:
        if radio.battery == MAINS:
            return t("devices.mains")
        if radio.battery <= FULL:
            return t.percent((radio.battery - 1) / (FULL - 1))
    for name, value in (fields or {}).items():
        if name.startswith("battery"):
            return said(t, value)
    return "–"
