"""The wireless meters' metrics: there without a receiver, too, and without a meter's number."""

from torhaus.daemon.wmbus.metrics import families


def test_families_without_a_receiver_are_empty() -> None:
    found = list(families(None))
    assert [family.name for family in found] == ["torhaus_wmbus_meters", "torhaus_wmbus_dropped_telegrams"]
    assert [family.samples for family in found] == [[], []]
