"""What drivers tell of gateways."""

from torhaus.codecs.model import Frame, Radio, Reception, RejectReason, Stamp
from torhaus.drivers.base import GatewaySeen, GatewayStats

A, B = "aa555a0000000101", "aa555a0000000102"


def seen(gateway: str, peer: str = "10.0.0.1", *, known: bool = True, listed: bool = False) -> GatewaySeen:
    return GatewaySeen(gateway, peer, "gwmp2", known, listed)


def frame(at: Stamp, gateway: str = A, *, crc: int = 1, stranger: RejectReason | None = None) -> Frame:
    """A frame; with an empty `gateway` one that no gateway heard."""
    rx = [Reception(gateway, crc=crc)] if gateway else []
    return Frame("radio", b"\x40", at, Radio(868_100_000, "LORA", "SF7BW125", rx=rx), stranger=stranger)


def report(
    at: Stamp, values: dict[str, float | int | str], gateway: str = A, *, stranger: RejectReason | None = None
) -> GatewayStats:
    return GatewayStats(gateway, values, at, stranger)
