"""Rows become what Prometheus reads."""

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import generate_latest

from torhaus.daemon.families import by, count, gauge, histogram
from torhaus.daemon.histogram import Histogram


class Once:
    def __init__(self, *families: Metric) -> None:
        self.families = families

    def collect(self) -> tuple[Metric, ...]:
        return self.families


def exposed(*families: Metric) -> list[str]:
    registry = CollectorRegistry()
    registry.register(Once(*families))
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_counters_and_gauges() -> None:
    assert exposed(count("x_frames", "x", ["driver"], by({"radio": 3})), gauge("x_up", "x", [], [((), True)])) == [
        'x_frames_total{driver="radio"} 3.0',
        "x_up 1.0",
    ]


def test_histograms_with_labels() -> None:
    slow = Histogram()
    for seconds in (0.001, 0.03, 60.0):
        slow.observe(seconds)
    lines = exposed(histogram("x_seconds", "x", ["gateway"], [(("roof",), slow)]))
    assert 'x_seconds_bucket{gateway="roof",le="0.001"} 1.0' in lines
    assert 'x_seconds_bucket{gateway="roof",le="0.05"} 2.0' in lines
    assert 'x_seconds_bucket{gateway="roof",le="10.0"} 2.0' in lines
    assert 'x_seconds_bucket{gateway="roof",le="+Inf"} 3.0' in lines
    assert 'x_seconds_count{gateway="roof"} 3.0' in lines
