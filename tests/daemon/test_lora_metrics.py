"""The gateways' metrics: named are those of the configuration, all others are `unknown`, and promtool is content."""

import subprocess

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import generate_latest

from tests.daemon.clocks import FakeClock
from tests.daemon.gateway_fakes import A, B, frame, report, seen
from tests.peers import program
from torhaus.codecs.lorawan.downlink import Immediately, TxAnswer, TxItem, TxStatus
from torhaus.daemon.lora import metrics
from torhaus.daemon.lora.duty_cycle import DutyCycle
from torhaus.daemon.lora.gateways import Gateways
from torhaus.drivers.base import GatewayReachable

ITEM = TxItem(bytes(12), 869_525_000, "LORA", "SF9BW125", Immediately())
NEVER = "aa555a0000000103"
OTHERS = [f"{n:016x}" for n in range(3)]


class Both:
    """A collector of these alone."""

    def __init__(self, gateways: Gateways, duty: DutyCycle | None) -> None:
        self.gateways = gateways
        self.duty = duty

    def collect(self) -> list[Metric]:
        return list(metrics.families(self.gateways, self.duty))


def scrape(gateways: Gateways, duty: DutyCycle | None) -> str:
    registry = CollectorRegistry()
    registry.register(Both(gateways, duty))
    return generate_latest(registry).decode()


@pytest.fixture
def text() -> str:
    """Of two gateways that the configuration names, one of them never heard, and of three others."""
    clock = FakeClock()
    book, duty = Gateways(clock.stamp), DutyCycle("EU868", clock.boot_ns)
    book.expect("radio", (A, NEVER))
    book.event("radio", seen(A, listed=True))
    book.event("radio", GatewayReachable(A, "10.0.0.1:4000"))
    book.event("radio", GatewayReachable(A, "10.0.0.1:4001"))
    book.event("radio", seen(A, "10.6.6.6", known=False, listed=True))
    book.heard("radio", [frame(clock.stamp()), frame(clock.stamp(), crc=-1)])
    said: dict[str, float | int | str] = {"temp": 31.5, "ackr": 98.0, "rxnb": 2, "lati": 51.7, "long": 8.5}  # no "alti"
    book.reported("radio", report(clock.stamp(), said))
    answers = (TxAnswer(TxStatus.TOO_LATE, answered_s=0.01), TxAnswer(TxStatus.OK, answered_s=0.02))
    for n, eui in enumerate((A, *OTHERS)):
        if eui != A:
            book.event("radio", seen(eui))
            book.heard("radio", [frame(clock.stamp(), eui)])
            book.reported("radio", report(clock.stamp(), {"temp": 99, "rxnb": 1}, eui))
        for _ in range(n + 1):
            book.answered(eui, answers)
            duty.sent("radio", eui, book.label(eui), (ITEM,), answers[1:])
    return scrape(book, duty)


def lines_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#") and "_bucket" not in line]


def test_figures_of_a_gateway_that_the_configuration_names(text: str) -> None:
    labels = f'driver="radio",gateway="{A}"'
    lines = lines_of(text)
    for line in (
        f"torhaus_gateway_up{{{labels}}} 1.0",
        f"torhaus_gateway_last_seen_timestamp_seconds{{{labels}}} 1.795e+09",
        f"torhaus_gateway_temperature_celsius{{{labels}}} 31.5",
        f"torhaus_gateway_ack_ratio{{{labels}}} 0.98",
        f"torhaus_gateway_latitude_degrees{{{labels}}} 51.7",
        f"torhaus_gateway_longitude_degrees{{{labels}}} 8.5",
        f"torhaus_gateway_uplinks_total{{{labels}}} 2.0",
        f"torhaus_gateway_crc_bad_total{{{labels}}} 1.0",
        f'torhaus_gateway_reported_packets_total{{{labels},kind="received"}} 2.0',
        f'torhaus_gateway_downlinks_total{{{labels},result="OK"}} 1.0',
        f"torhaus_gateway_downlink_fallbacks_total{{{labels}}} 1.0",
        f"torhaus_gateway_downlink_seconds_count{{{labels}}} 2.0",
        f"torhaus_gateway_address_changes_total{{{labels}}} 1.0",
        f"torhaus_gateway_impostors_total{{{labels}}} 1.0",
    ):
        assert line in lines
    assert f'torhaus_gateway_up{{driver="radio",gateway="{NEVER}"}} 0.0' in lines
    assert len([line for line in lines if NEVER in line and not line.endswith(" 0.0")]) == 0


def test_all_others_share_one_label_and_have_no_gauges(text: str) -> None:
    assert not [eui for eui in (*OTHERS, B) if eui in text]
    shared = [line for line in lines_of(text) if 'gateway="unknown"' in line]
    assert 'torhaus_gateway_uplinks_total{driver="radio",gateway="unknown"} 3.0' in shared
    assert 'torhaus_gateway_downlinks_total{driver="radio",gateway="unknown",result="OK"} 9.0' in shared
    assert not [line for line in shared if line.startswith(("torhaus_gateway_up{", "torhaus_gateway_temp"))]


def test_airtime_and_what_is_used_of_it(text: str) -> None:
    lines = lines_of(text)
    values = {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if "band=" in line}
    one_s = 0.144384
    band = 'band="869.4-869.65",driver="radio",gateway='
    assert values[f'torhaus_gateway_airtime_seconds_total{{{band}"{A}"}}'] == pytest.approx(one_s)
    assert values[f'torhaus_gateway_airtime_seconds_total{{{band}"unknown"}}'] == pytest.approx(9 * one_s)
    assert values[f'torhaus_gateway_duty_cycle_used_ratio{{{band}"{A}"}}'] == pytest.approx(one_s / 360)
    assert values[f'torhaus_gateway_duty_cycle_used_ratio{{{band}"unknown"}}'] == pytest.approx(4 * one_s / 360)


def test_promtool_has_nothing_to_say(text: str) -> None:
    promtool = program("promtool")
    for each in (text, scrape(Gateways(FakeClock().stamp), None)):
        done = subprocess.run([promtool, "check", "metrics"], input=each, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")
