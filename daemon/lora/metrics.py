"""The gateways' metrics. Names are API, as all in daemon/metrics.py, which yields these with its own.

Only gateways that the configuration names are labels; all others are counted together as `unknown`, and have no gauges.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import Final

from prometheus_client.core import Metric

from torhaus.daemon.families import Labels, Rows, by, count, gauge, histogram
from torhaus.daemon.lora.duty_cycle import DutyCycle
from torhaus.daemon.lora.gateways import Gateway, Gateways
from torhaus.daemon.lora.joining import Joining
from torhaus.daemon.lora.report import Report
from torhaus.daemon.lora.sending import Sending

_BOTH = ["driver", "gateway"]
_PLACE: Final[tuple[tuple[str, str, Callable[[Report], float | None]], ...]] = (
    ("latitude", "degrees", attrgetter("latitude")),
    ("longitude", "degrees", attrgetter("longitude")),
    ("altitude", "meters", attrgetter("altitude_m")),
)


def families(gateways: Gateways, duty: DutyCycle | None) -> Iterator[Metric]:
    """All of them."""
    named = [((g.driver, eui), g) for eui, g in gateways.all.items() if g.listed]
    yield gauge("torhaus_gateway_up", "1 while it is heard", _BOTH, ((key, g.online) for key, g in named))
    text = "When it was heard last"
    seen = ((key, g.last_ns / 1e9) for key, g in named if g.last_ns)
    yield gauge("torhaus_gateway_last_seen_timestamp_seconds", text, _BOTH, seen)
    yield from _reports(named)
    counts = gateways.counts.items()
    yield count("torhaus_gateway_uplinks", "Frames it received", _BOTH, ((key, c.uplinks) for key, c in counts))
    text = "Frames it received with a bad radio CRC"
    yield count("torhaus_gateway_crc_bad", text, _BOTH, ((key, c.crc_bad) for key, c in counts))
    reported: Rows = (((*key, kind), n) for key, c in counts for kind, n in c.reported.items())
    text = "Packets it says it dealt with"
    yield count("torhaus_gateway_reported_packets", text, [*_BOTH, "kind"], reported)
    results: Rows = (((*key, result), n) for key, c in counts for result, n in c.downlinks.items())
    yield count("torhaus_gateway_downlinks", "Downlinks, by what became of them", [*_BOTH, "result"], results)
    text = "Downlinks sent in a later window, because the first was refused"
    yield count("torhaus_gateway_downlink_fallbacks", text, _BOTH, ((key, c.fallbacks) for key, c in counts))
    text = "Downlink handed over to the gateway's answer"
    yield histogram("torhaus_gateway_downlink_seconds", text, _BOTH, gateways.answered_s.items())
    text = "Changes of the address that its downlinks go to"
    yield count("torhaus_gateway_address_changes", text, _BOTH, ((key, c.address_changes) for key, c in counts))
    text = "Times that somebody spoke in its name from where it may not"
    yield count("torhaus_gateway_impostors", text, _BOTH, ((key, c.impostors) for key, c in counts))
    yield from _airtime(gateways, duty)


def join_families(joining: Joining | None) -> Iterator[Metric]:
    """Joins, and what the counters of uplinks say. No device is a label."""
    text = "Steps of joins, each counted once however many gateways heard it"
    yield count("torhaus_lora_joins", text, ["result"], by(joining.book.results) if joining is not None else ())
    standalone = joining.standalone if joining is not None else None
    text = "Answers to uplinks of devices that joined here, by what became of them"
    yield count("torhaus_lora_answers", text, ["result"], by(standalone.results) if standalone is not None else ())
    mac = standalone.mac if standalone is not None else None
    text = "MAC commands that devices were sent, and what they made of them"
    yield count("torhaus_lora_mac_requests", text, ["command", "result"], mac.requests.items() if mac else ())
    text = "Rejoin-requests and answers to them, by what became of them"
    passing = joining.rejoins if joining is not None else None
    rejoins = standalone.accepts.rejoins if standalone is not None else passing and passing.results
    yield count("torhaus_lora_rejoins", text, ["result"], by(rejoins) if rejoins else ())
    text = "Devices that were heard since the start, by the data rate of their last uplink"
    rates = Counter(str(link.dr) for _, link in mac.known() if link.dr is not None) if mac is not None else None
    yield gauge("torhaus_lora_devices", text, ["data_rate"], by(rates) if rates is not None else ())
    text = "Uplinks of known devices that never came, by the gaps of their counters"
    network = joining.network if joining is not None else None
    missed = network.missed_uplinks if network is not None else 0
    yield count("torhaus_lora_missed_uplinks", text, [], [((), missed)])
    text = "Uplinks with the address of a known device, and with a MIC that fits none: a neighbour's, or forged"
    failures = network.mic_failures if network is not None else 0
    yield count("torhaus_lora_mic_failures", text, [], [((), failures)])
    text = "Questions for session keys of devices to their network server, by what came of them"
    central = joining.central if joining is not None else None
    yield count("torhaus_lora_session_requests", text, ["result"], by(central.results) if central is not None else ())
    yield from _sending(joining.sending if joining is not None else None)


def _sending(sending: Sending | None) -> Iterator[Metric]:
    """The queue of downlinks."""
    text = "Steps of downlinks from the queue, by what happened"
    results = by(sending.queue.results) if sending is not None else ()
    yield count("torhaus_lora_downlinks", text, ["result"], results)
    text = "Orders for downlinks that were refused"
    refused = by(sending.orders.refused) if sending is not None else ()
    yield count("torhaus_lora_downlink_refusals", text, ["reason"], refused)
    waiting = sending.queue.count() if sending is not None else 0
    yield gauge("torhaus_lora_downlinks_waiting", "Downlinks that are not done with", [], [((), waiting)])


def _reports(named: Iterable[tuple[Labels, Gateway]]) -> Iterator[Metric]:
    warm: Rows = [(key, t) for key, g in named if (t := g.report.temperature_celsius) is not None]
    yield gauge("torhaus_gateway_temperature_celsius", "Its concentrator's temperature", _BOTH, warm)
    acked: Rows = [(key, ratio) for key, g in named if (ratio := g.report.ack_ratio) is not None]
    text = "Part of what it sent that it saw acknowledged, as of its last report"
    yield gauge("torhaus_gateway_ack_ratio", text, _BOTH, acked)
    for what, unit, value in _PLACE:
        there: Rows = [(key, place) for key, g in named if (place := value(g.report)) is not None]
        yield gauge(f"torhaus_gateway_{what}_{unit}", f"Its {what}, as of its last report", _BOTH, there)


def _airtime(gateways: Gateways, duty: DutyCycle | None) -> Iterator[Metric]:
    labels = [*_BOTH, "band"]
    sent: Rows = ((key, us / 1e6) for key, us in duty.airtime_us.items()) if duty is not None else ()
    yield count("torhaus_gateway_airtime_seconds", "Time on the air of its downlinks", labels, sent)
    used: dict[Labels, float] = {}
    for (eui, band), part in (duty.used() if duty is not None else {}).items():
        g = gateways.all.get(eui)
        if g is not None:
            key = (g.driver, gateways.label(eui), band)
            used[key] = max(used.get(key, 0.0), part)
    text = "Part used of the airtime that its sub-band allows within an hour; of unknown ones the highest"
    yield gauge("torhaus_gateway_duty_cycle_used_ratio", text, labels, used.items())
