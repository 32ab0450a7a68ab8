"""What the forwarder `gwmp` is configured with."""

from typing import Annotated, Final, Literal

import msgspec

from torhaus.daemon.config.model import parse_address
from torhaus.daemon.lora.filters import FrameFilter

MAX_GATEWAYS: Final = 256
"""Gateways spoken for at once; beyond it the one that was silent the longest is left. Some drivers take in any EUI."""
Eui = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-fA-F]{16}\Z", description="16 hex digits, such as aa555a0000000101")]
Seconds = Annotated[float, msgspec.Meta(ge=0.05, le=60)]


class Gateway(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One gateway that the server knows by another EUI, or that is to be there before it has heard anything."""

    local: Eui
    remote: Eui | None = None


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys of a `[[forwarder]]` of this type."""

    name: str
    type: Literal["gwmp"] = "gwmp"
    server: Annotated[str, msgspec.Meta(max_length=300)]
    insecure: bool = False
    gateway: Annotated[list[Gateway], msgspec.Meta(max_length=MAX_GATEWAYS)] = []
    filter: FrameFilter = FrameFilter()
    late: Literal["send", "drop"] = "send"
    downlinks: bool = True
    ack_timeout_s: Seconds = 2.0
    keepalive_s: Annotated[float, msgspec.Meta(ge=1, le=120)] = 10.0
    pull_missed: Annotated[int, msgspec.Meta(ge=1, le=100)] = 3
    stat_interval_s: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 30.0

    def __post_init__(self) -> None:
        try:
            host, port = parse_address(self.server)
        except ValueError:
            port = 0
        if not port:
            raise ValueError(
                f'server: is "{self.server}", must be a host and a port such as eu1.cloud.thethings.network:1700'
            )
        if not (self.insecure or host == "localhost" or host.startswith("127.") or host == "::1"):
            raise ValueError(
                "server: GWMP is neither encrypted nor authenticated; say insecure = true if that is meant, "
                "or use a tunnel on this machine"
            )
        for key in ("local", "remote"):
            euis = [eui.lower() for g in self.gateway if (eui := getattr(g, key) or g.local) is not None]
            if len(set(euis)) < len(euis):
                raise ValueError(f"gateway: two have the same {key} EUI")
