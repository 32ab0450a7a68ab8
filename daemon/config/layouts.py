"""Layouts: payload formats of a site's own devices, declared in TOML files beside the scripts, checked when loaded."""

from pathlib import Path
from typing import TYPE_CHECKING

from torhaus.codecs.registry import Decode, load
from torhaus.daemon.config.codec_names import LAYOUT
from torhaus.daemon.config.document import ConfigFaults, Fault, Tree, parse, read_text
from torhaus.daemon.config.validate import Validator

if TYPE_CHECKING:  # most sites have none: they start without it
    from torhaus.codecs.layout.shape import Layout


def read_layout(path: Path) -> "Layout":
    """The layout in a file. Raises ConfigFaults with every fault, each with its line."""
    from torhaus.codecs.layout.shape import Layout

    shown = str(path)
    tree = Tree()
    tree.add(parse(read_text(path, shown), shown))
    check = Validator(path.parent)
    layout = check.struct(tree.data, Layout)
    if layout is None or check.faults:
        raise ConfigFaults([tree.fault(place, text) for place, text in check.faults.items()])
    return layout


def layout_faults(path: Path) -> list[Fault]:
    """What is wrong with the layout in a file."""
    try:
        read_layout(path)
    except ConfigFaults as e:
        return e.faults
    return []


class Codecs:
    """A device's codec by its name in the configuration: a registered one, or a layout in the folder of scripts.

    `common_names`: what they decode is renamed (codecs/payload/common_names.py).
    """

    def __init__(self, scripts: Path, *, common_names: bool = False) -> None:
        self._scripts = scripts
        self._common_names = common_names
        self._layouts: dict[str, Decode] = {}

    def __call__(self, name: str) -> Decode:
        """The codec. KeyError when there is none of that name; ConfigFaults when a layout has faults."""
        decode = self._load(name)
        if not self._common_names:
            return decode
        from torhaus.codecs.payload.common_names import to_common

        return lambda payload, fport: to_common(decode(payload, fport))

    def _load(self, name: str) -> Decode:
        if not name.endswith(LAYOUT):
            return load(name)
        if name not in self._layouts:
            from torhaus.codecs.layout.shape import LayoutCodec

            self._layouts[name] = LayoutCodec(read_layout(self._scripts / name))
        return self._layouts[name]
