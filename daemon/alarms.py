"""Which readings are alarms: by the site's own rules, looked at once, when the fields are known. Pure."""

from collections.abc import Iterable, Iterator
from typing import Any

from torhaus.codecs.model import Fields
from torhaus.daemon.config.devices import DeviceConfig
from torhaus.daemon.config.model import AlarmRule


class Alarms:
    """The rules, by device. `tagged`: the devices of each tag."""

    def __init__(self, rules: Iterable[AlarmRule] = (), tagged: dict[str, set[str]] | None = None) -> None:
        self._by_device: dict[str, list[AlarmRule]] = {}
        self._for_all: list[AlarmRule] = []
        for rule in rules:
            if not (rule.devices or rule.tags):
                self._for_all.append(rule)
            for device in set(rule.devices).union(*((tagged or {}).get(tag, set()) for tag in rule.tags)):
                self._by_device.setdefault(device, []).append(rule)

    def __bool__(self) -> bool:
        return bool(self._by_device or self._for_all)

    def is_alarm(self, device: str | None, fields: Fields) -> bool:
        """Whether a rule holds for this reading."""
        rules = (*self._by_device.get(device or "", ()), *self._for_all)
        return any(_holds(rule, fields) for rule in rules)


def low_batteries(devices: Iterable[DeviceConfig]) -> Iterator[AlarmRule]:
    """A rule for each device that says, or whose profile says, below what its battery is low."""
    for device in devices:
        if device.battery is not None and device.battery.low is not None:
            yield AlarmRule(devices=(device.name,), field=device.battery.field, below=device.battery.low)


def _holds(rule: AlarmRule, fields: Fields) -> bool:
    if rule.field is None:
        return True
    found = fields.get(rule.field)
    if found is None:
        return False
    value: Any = found.value
    if rule.above is None and rule.below is None and rule.equals is None:
        return bool(value)
    if rule.equals is not None and isinstance(value, bool) == isinstance(rule.equals, bool) and value == rule.equals:
        return True
    if isinstance(value, str) or value is None:
        return False
    return (rule.above is not None and value > rule.above) or (rule.below is not None and value < rule.below)
