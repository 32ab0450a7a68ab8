import pytest

from torhaus.codecs.model import Fields, Scalar, Value
from torhaus.daemon.alarms import Alarms, low_batteries
from torhaus.daemon.config.devices import DeviceConfig
from torhaus.daemon.config.model import AlarmRule
from torhaus.daemon.config.profiles import Battery


def fields(**values: Scalar) -> Fields:
    return {name: Value(value) for name, value in values.items()}


@pytest.mark.parametrize(
    ("rule", "value", "expected"),
    [
        ({}, 1, True),
        ({}, 0, False),
        ({}, True, True),
        ({}, "", False),
        ({}, None, False),
        ({"above": 5}, 5, False),
        ({"above": 5}, 5.1, True),
        ({"below": 5}, 4, True),
        ({"above": 30, "below": 5}, 31, True),
        ({"above": 30, "below": 5}, 10, False),
        ({"above": 5}, "9", False),
        ({"above": 5}, None, False),
        ({"equals": True}, True, True),
        ({"equals": True}, 1, False),
        ({"equals": 1}, True, False),
        ({"equals": 1}, 1.0, True),
        ({"equals": "open"}, "open", True),
        ({"equals": "open", "above": 3}, 4, True),
    ],
)
def test_a_rule_on_a_field(rule: dict[str, float | bool | str], value: Scalar, expected: bool) -> None:
    alarms = Alarms([AlarmRule(field="x", **rule)])  # type: ignore[arg-type]
    assert alarms.is_alarm("d", fields(x=value)) is expected
    assert not alarms.is_alarm("d", fields(y=value))


def test_rules_hold_for_their_devices_and_tags() -> None:
    rules = [AlarmRule(devices=("keller",)), AlarmRule(tags=("water",), field="leak")]
    alarms = Alarms(rules, {"water": {"flur", "bad"}, "other": {"dach"}})
    assert alarms.is_alarm("keller", fields())
    assert alarms.is_alarm("flur", fields(leak=1))
    assert not alarms.is_alarm("flur", fields())
    assert not alarms.is_alarm("dach", fields(leak=1))
    assert not alarms.is_alarm(None, fields(leak=1))


def test_without_rules_there_is_nothing_to_look_at() -> None:
    assert not Alarms()
    assert Alarms([AlarmRule(field="x")])
    assert not Alarms().is_alarm("d", fields(x=1))


def test_a_rule_speaks_of_something() -> None:
    with pytest.raises(ValueError, match="field: is missing, and so are"):
        AlarmRule()
    with pytest.raises(ValueError, match="field: is missing, of which"):
        AlarmRule(devices=("d",), above=3)


def test_low_batteries() -> None:
    devices = [
        DeviceConfig(name="said", battery=Battery(field="battery", low=10)),
        DeviceConfig(name="unsure", battery=Battery(field="battery")),
        DeviceConfig(name="none"),
    ]
    alarms = Alarms(low_batteries(devices))
    assert alarms.is_alarm("said", fields(battery=9))
    assert not alarms.is_alarm("said", fields(battery=10))
    assert not alarms.is_alarm("said", fields(temperature=-5))
    assert not alarms.is_alarm("unsure", fields(battery=1))
    assert not Alarms(low_batteries(devices[1:]))
