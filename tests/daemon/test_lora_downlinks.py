"""The way down: the driver that heard the gateway sends; without one nobody is asked and it is said."""

import asyncio

from torhaus.daemon.lora.downlinks import Downlinks
from torhaus.drivers.downlink import Downlink, Immediately, TxAnswer, TxItem, TxStatus

EUI = "aa555a0000000101"
ITEM = TxItem(b"\x60", 869_525_000, "LORA", "SF9BW125", Immediately())


class Sender:
    """A driver that can send, and notes what."""

    def __init__(self) -> None:
        self.sent: list[Downlink] = []

    async def transmit(self, downlink: Downlink) -> tuple[TxAnswer, ...]:
        """Say that the first went out."""
        self.sent.append(downlink)
        rest = (TxAnswer(TxStatus.IGNORED),) * (len(downlink.items) - 1)
        return (TxAnswer(TxStatus.OK), *rest)


def send(downlinks: Downlinks, gateway: str = EUI) -> tuple[TxAnswer, ...]:
    """Two ways to send one frame."""
    return asyncio.run(downlinks.send(Downlink(gateway, (ITEM, ITEM))))


def test_the_driver_that_heard_the_gateway_sends() -> None:
    here, there = Sender(), Sender()
    downlinks = Downlinks({EUI: "roof"}.get)
    downlinks.add("cellar", there)
    downlinks.add("roof", here)
    answers = send(downlinks)
    assert [a.status for a in answers] == [TxStatus.OK, TxStatus.IGNORED]
    assert [d.gateway for d in here.sent] == [EUI]
    assert not there.sent


def test_a_gateway_that_nobody_heard() -> None:
    downlinks = Downlinks({EUI: "roof"}.get)
    downlinks.add("roof", Sender())
    assert [a.status for a in send(downlinks, "0" * 16)] == [TxStatus.NO_GATEWAY] * 2


def test_a_driver_that_cannot_send() -> None:
    downlinks = Downlinks({EUI: "meter"}.get)
    downlinks.add("meter", object())
    assert [a.status for a in send(downlinks)] == [TxStatus.NO_GATEWAY] * 2
