"""A thousand downlinks through the real driver to twenty simulated gateways: each is there when its window wants it.

Loop time stands still: whatever waited inside would show in the lead that a gateway sees.
"""

import asyncio

from tests.drivers.fakes import advance, run
from tests.drivers.gwmp_fakes import Host, config
from torhaus.codecs.lorawan.downlink import After, Downlink, TxItem, TxStatus, context_of
from torhaus.codecs.model import Reception
from torhaus.daemon.demo.gateway import SimulatedGateway
from torhaus.daemon.lora.downlinks import Downlinks
from torhaus.daemon.lora.duty_cycle import DutyCycle
from torhaus.daemon.lora.gateways import Gateways
from torhaus.drivers import semtech_udp
from torhaus.drivers.base import Event, GatewayReachable, GatewaySeen

GATEWAYS, ROUNDS = 20, 50
PHY = bytes.fromhex("400100000000010001aabbccdd")
RX1_US, RX2_US = 1_000_000, 2_000_000
SERVER_US = 200_000
"""So long a network server thinks, as a rule."""


class Radio(Host):
    """The daemon's side: gateways are met, and everything is stored."""

    def __init__(self) -> None:
        super().__init__()
        self.holding = False
        self.book = Gateways(self.stamp)

    def event(self, event: Event) -> None:
        super().event(event)
        if isinstance(event, GatewaySeen | GatewayReachable):
            self.book.event("roof", event)


def ways(rx: Reception) -> tuple[TxItem, TxItem]:
    """RX1 and RX2 after a reception."""
    context = context_of(rx)
    return (
        TxItem(PHY, 868_100_000, "LORA", "SF7BW125", After(RX1_US, context), power_dbm=14),
        TxItem(PHY, 869_525_000, "LORA", "SF9BW125", After(RX2_US, context), power_dbm=27),
    )


def is_late(n: int) -> bool:
    """Whether the network server is slow in this round: RX1 is over, RX2 is not."""
    return n % 5 == 4


def test_a_thousand_downlinks_meet_their_window() -> None:
    async def main() -> None:
        host = Radio()
        driver = semtech_udp.open(config(gateway=[{"eui": f"{n:016x}"} for n in range(GATEWAYS)]))
        task = asyncio.create_task(driver.run(host))
        await driver.bound.wait()
        host.book.expect("roof", driver.gateways)
        duty = DutyCycle("EU868", host.boot_ns)
        downlinks = Downlinks(host.book.driver_of, host.book, duty)
        downlinks.add("roof", driver)
        gateways = [SimulatedGateway(f"{n:016x}") for n in range(GATEWAYS)]
        for gateway in gateways:
            await gateway.open("127.0.0.1", driver.port)
        late_for_rx1 = 0
        for n in range(ROUNDS):
            for gateway in gateways:
                gateway.pull()
                gateway.push([PHY])
            await host.until_frames((n + 1) * GATEWAYS)
            late = is_late(n)
            await advance((RX1_US + 1 if late else SERVER_US) / 1e6)
            heard = [frame.radio.rx[0] for frame in host.frames[-GATEWAYS:] if frame.radio is not None]
            answers = await asyncio.gather(*(downlinks.send(Downlink(rx.gateway, ways(rx))) for rx in heard))
            expected = [TxStatus.TOO_LATE, TxStatus.OK] if late else [TxStatus.OK, TxStatus.IGNORED]
            assert [[a.status for a in each] for each in answers] == [expected] * GATEWAYS
            assert {a.answered_s for each in answers for a in each} <= {0, None}
            late_for_rx1 += late
            await advance(5)
        for gateway in gateways:
            assert len(gateway.sent) == ROUNDS
            for n, sent in enumerate(gateway.sent):  # to the microsecond, but for rounding
                expected_us = RX2_US - RX1_US - 1 if is_late(n) else RX1_US - SERVER_US
                assert abs(sent.lead_us - expected_us) <= 2
            counts = host.book.counts["roof", gateway.eui]
            assert (counts.downlinks, counts.fallbacks) == ({"OK": ROUNDS}, late_for_rx1)
            gateway.close()
        assert sum(duty.airtime_us.values()) == GATEWAYS * ((ROUNDS - late_for_rx1) * 41_216 + late_for_rx1 * 144_384)
        task.cancel()
        await asyncio.wait([task])

    run(main())
