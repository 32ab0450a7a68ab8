"""Metric families from rows of labels and figures, for the collectors (metrics.py and the rooms' own)."""

from collections.abc import Iterable, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from torhaus.daemon.histogram import BUCKETS, Histogram

Labels = tuple[str, ...]
Rows = Iterable[tuple[Labels, float]]


def by(counter: Mapping[str, int]) -> Rows:
    """The rows of a family with one label."""
    return [((key,), n) for key, n in counter.items()]


def count(name: str, text: str, labels: list[str], rows: Rows) -> Metric:
    """A counter; the exposition appends `_total`."""
    family = CounterMetricFamily(name, text, labels=labels)
    for row, value in rows:
        family.add_metric(row, value)
    return family


def gauge(name: str, text: str, labels: list[str], rows: Rows) -> Metric:
    """A gauge."""
    family = GaugeMetricFamily(name, text, labels=labels)
    for row, value in rows:
        family.add_metric(row, float(value))
    return family


def histogram(name: str, text: str, labels: list[str], rows: Iterable[tuple[Labels, Histogram]]) -> Metric:
    """A histogram; its buckets hold what is at most their bound."""
    family = HistogramMetricFamily(name, text, labels=labels)
    for row, observed in rows:
        total = 0
        buckets = []
        for bound, n in zip((*BUCKETS, float("inf")), observed.counts, strict=True):
            total += n
            buckets.append(("+Inf" if bound == float("inf") else repr(bound), total))
        family.add_metric(row, buckets, observed.sum)
    return family
