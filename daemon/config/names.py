"""Names in the configuration that must fit together: unique, known, not somebody else's."""

from typing import Any

from torhaus.daemon.config.devices import DeviceConfig
from torhaus.daemon.config.document import Tree
from torhaus.daemon.config.expect import did_you_mean, quote
from torhaus.daemon.config.lines import KeyPath
from torhaus.daemon.config.model import ForwarderCommon, Lorawan
from torhaus.daemon.config.validate import Validator
from torhaus.drivers.link import LinkPlace, parse_link, place_of

Tables = list[tuple[int, dict[str, Any]]]


class Names:
    """Looks at the tables as they were written, by kind, with their places. Faults go to `check`."""

    def __init__(self, tree: Tree, check: Validator, tables: dict[str, Tables]) -> None:
        self.tree = tree
        self.check = check
        self._kinds = tables

    def look(self) -> None:
        """What needs no list of devices."""
        self._unique("driver")
        self._unique("forwarder")
        self._renamed()

    def _of(self, kind: str) -> Tables:
        return self._kinds.get(kind, [])

    def _unique(self, kind: str) -> None:
        first: dict[str, int] = {}
        for i, table in self._of(kind):
            name = table.get("name")
            if isinstance(name, str) and first.setdefault(name, i) != i:
                file, line = self.tree.locate((kind, first[name], "name"))
                self.check.fault((kind, i, "name"), f"is {quote(name)}, as of another {kind} ({file}:{line})")

    def _renamed(self) -> None:
        """A name that a forwarder had before is no other one's, nor had by two."""
        taken = {
            t.get("name"): f"is the name of another forwarder now ({t.get('name')})" for _, t in self._of("forwarder")
        }
        for i, table in self._of("forwarder"):
            old = table.get("renamed_from")
            if isinstance(old, str):
                if old in taken and old != table.get("name"):
                    self.check.fault(("forwarder", i, "renamed_from"), taken[old])
                taken.setdefault(old, f"is {quote(old)}, from which another forwarder is renamed already")

    def known(
        self,
        forwarders: list[tuple[Any, ForwarderCommon, Any]],
        drivers: list[tuple[Any, Any]],
        devices: list[DeviceConfig],
    ) -> None:
        """Devices and tags that are spoken of are there."""
        names = {d.name for d in devices}
        tags = {t for d in devices for t in d.tags}
        by_name = {t.get("name"): i for i, t in reversed(self._of("forwarder"))}
        spoken: list[tuple[KeyPath, dict[str, Any]]] = [
            (("forwarder", by_name[c.name]), {"devices": c.devices, "tags": c.tags}) for _, c, _ in forwarders
        ]
        for path, wanted in [*spoken, *((("alarm", i), t) for i, t in self._of("alarm"))]:
            for key, known, what in (("devices", names, "name"), ("tags", tags, "tag")):
                words = wanted.get(key, ())
                for n, word in enumerate(words if isinstance(words, (list, tuple)) else ()):
                    if isinstance(word, str) and word not in known:
                        text = f"is {quote(word)}, but no device has this {what}"
                        self.check.fault((*path, key, n), text + did_you_mean(word, known))
        by_name = {t.get("name"): i for i, t in reversed(self._of("driver"))}
        self._links([config for _, config in drivers], by_name)
        lorawan = self.tree.data.get("lorawan")
        site_region = str((lorawan if isinstance(lorawan, dict) else {}).get("region", Lorawan().region))
        for _, config in drivers:
            region = getattr(config, "region", None)
            if isinstance(region, str) and region.upper() != site_region.upper():
                text = f"is {quote(region)}, but [lorawan] has region = {quote(site_region)}: a site is in one region"
                self.check.fault(("driver", by_name[config.name], "region"), text)
            at: KeyPath = ("driver", by_name[config.name])
            said = [(getattr(config, "device", None), at)]
            for key in ("devices", "meter"):
                listed = getattr(config, key, ())
                said += [(getattr(d, "device", None), (*at, key, n)) for n, d in enumerate(listed)]
            for device, path in said:
                if isinstance(device, str) and device not in names:
                    text = f"is {quote(device)}, but no [[device]] has this name{did_you_mean(device, names)}"
                    self.check.fault((*path, "device"), text)

    def _links(self, drivers: list[Any], by_name: dict[Any, int]) -> None:
        """A line is one driver's: two would talk at the same time, or shut each other out."""
        first: dict[LinkPlace, str] = {}
        for config in drivers:
            link = getattr(config, "link", None)
            if not isinstance(link, str) or getattr(config, "shares_link", False):
                continue
            try:
                place = place_of(parse_link(link))
            except ValueError:
                continue  # another plug-in's own key of this name
            if place is not None and first.setdefault(place, config.name) != config.name:
                text = f"is the line of driver {quote(first[place])} already: its devices belong to one driver"
                self.check.fault(("driver", by_name[config.name], "link"), text)
