"""What lies beside documents in a hot folder, and what network scanners answer."""

from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec

from torhaus.codecs import escl
from torhaus.codecs.sidecar import SidecarLayout, read

Reader = Callable[[bytes], object]
STATUS: Final = (
    b"<s:ScannerStatus xmlns:s='x'><State>Idle</State><AdfState>ScannerAdfEmpty</AdfState><Jobs><JobInfo><JobUri>/j/7"
    b"</JobUri><JobState>Completed</JobState><ImagesCompleted>3</ImagesCompleted></JobInfo></Jobs></s:ScannerStatus>"
)
CAPABILITIES: Final = (
    b"<ScannerCapabilities><Platen><PlatenInputCaps><MaxWidth>2550</MaxWidth><SettingProfiles><SettingProfile>"
    b"<ColorModes><ColorMode>RGB24</ColorMode></ColorModes></SettingProfile></SettingProfiles></PlatenInputCaps>"
    b"</Platen></ScannerCapabilities>"
)


def readers() -> dict[str, tuple[list[bytes], Reader]]:
    """By name, what each starts from and what reads it."""
    in_tree = {"pages": "b/n", "x": "b/@n?"}
    return {
        "escl/status": ([STATUS], escl.parse_status),
        "escl/capabilities": ([CAPABILITIES], partial(escl.parse_capabilities, source="platen", duplex=False)),
        "sidecar/ini": ([b"[b]\nn=3\n", b"; x\n[B]\nN: 12\nx = y\n"], _by(SidecarLayout("ini", in_tree))),
        "sidecar/xml": ([b'<b n="3"><n>3</n></b>'], _by(SidecarLayout("xml", in_tree))),
        "sidecar/json": ([b'{"b":{"n":3}}', b'{"b":[{"n":"7"}]}'], _by(SidecarLayout("json", in_tree))),
        "sidecar/columns": ([b"a.tif;3\nb.tif;1\n"], _by(SidecarLayout("columns", {"document": "1", "pages": "2"}))),
    }


def _by(layout: SidecarLayout) -> Reader:
    return lambda data: msgspec.json.encode(read(data, layout))
