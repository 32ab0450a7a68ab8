import msgspec
import pytest

from torhaus.daemon.scans.release.config import (
    DAY_NS,
    Release,
    ReleaseRule,
    Retention,
    RetentionRule,
    release_faults,
)


def test_the_first_rule_that_fits_and_says_it_counts() -> None:
    release = Release(
        sample_percent=4.0,
        delay_days=180,
        rule=(
            ReleaseRule(class_="rechnung", sample_percent=10.0),
            ReleaseRule(station="post", delay_days=60),
            ReleaseRule(class_="rechnung", delay_days=30, sample_percent=99.0),
        ),
    )
    assert (release.percent("post", "rechnung"), release.delay_ns("post", "rechnung")) == (10.0, 60 * DAY_NS)
    assert (release.percent("flur", "rechnung"), release.delay_ns("flur", "rechnung")) == (10.0, 30 * DAY_NS)
    assert (release.percent("flur", None), release.delay_ns("flur", None)) == (4.0, 180 * DAY_NS)


def test_how_long_copies_are_kept() -> None:
    retention = Retention(
        14, rule=(RetentionRule(class_="a", keep_days=0), RetentionRule(station="post", keep_days=90))
    )
    assert retention.keep("post", "a") == (0, "scan.retention.rule[0]")
    assert retention.keep("post", "b") == (90, "scan.retention.rule[1]")
    assert retention.keep("flur", None) == (14, "scan.retention")
    assert retention.least_days == 0


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Release, {"sample_percent": 0}),
        (Release, {"sample_percent": 101}),
        (Release, {"delay_days": -1}),
        (Release, {"delay_days": 1e9}),
        (Release, {"rule": [{"class": "a b"}]}),
        (Retention, {"rule": [{"class": "a"}]}),
        (Retention, {"from": "arrived"}),
        (Retention, {"keep": 1}),
    ],
)
def test_what_cannot_be(kind: type, value: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(value, kind)


def test_faults_between_the_values() -> None:
    release = Release(rule=(ReleaseRule(), ReleaseRule(station="flur")))
    assert [key for key, _ in release_faults(release, None, {"post"})] == [
        "scan.release.rule[0]", "scan.release.rule[1].station",
    ]  # fmt: skip
    late = Retention(from_="released", rule=(RetentionRule(keep_days=1),))
    assert [key for key, _ in release_faults(None, late, set())] == ["scan.retention.rule[0]", "scan.retention.from"]
    assert release_faults(Release(), Retention(from_="released"), set()) == []
