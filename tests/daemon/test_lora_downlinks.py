"""The way down: the driver that heard the gateway sends; without one nobody is asked and it is said."""

import asyncio

import msgspec
import pytest

from tests.daemon.clocks import FakeClock
from tests.daemon.gateway_fakes import seen
from torhaus.codecs.framing.chirpstack_gw.commands import GatewayConfiguration
from torhaus.codecs.lorawan.downlink import After, Downlink, Immediately, TxAnswer, TxItem, TxStatus
from torhaus.daemon.lora.downlinks import Downlinks
from torhaus.daemon.lora.duty_cycle import DutyCycle, airtime_of
from torhaus.daemon.lora.gateways import Gateways
from torhaus.daemon.lora.on_air import OnAir
from torhaus.drivers.base import GatewayLeft
from torhaus.drivers.downlink import Configured

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


def test_channels_are_the_gateways_own_business_unless_its_driver_says_otherwise() -> None:
    class Tunable(Sender):
        async def configure(self, configuration: GatewayConfiguration) -> Configured:
            assert configuration.gateway_id == EUI.upper()
            return Configured("handed_over")

    downlinks = Downlinks({EUI: "here"}.get)
    wanted = GatewayConfiguration(EUI.upper())
    refused = Configured("refused", "channels are set at the gateway itself")
    assert asyncio.run(downlinks.configure(wanted)) == refused
    downlinks.add("here", Sender())
    assert asyncio.run(downlinks.configure(wanted)) == refused
    downlinks.add("here", Tunable())
    assert asyncio.run(downlinks.configure(wanted)) == Configured("handed_over")
    assert asyncio.run(downlinks.configure(GatewayConfiguration("aa555a0000000102"))) == refused


def test_who_is_there() -> None:
    book = Gateways(FakeClock().stamp)
    downlinks = Downlinks(book.driver_of, book)
    book.event("roof", seen(EUI))
    book.event("roof", seen("0" * 16, known=False))
    assert downlinks.present() == [EUI]
    book.event("roof", GatewayLeft(EUI))
    assert downlinks.present() == []
    assert Downlinks({EUI: "roof"}.get).present() == []


# -- what is counted, and what the duty cycle leaves of it -------------------------------------------------------------


def test_what_became_of_it_is_counted() -> None:
    clock = FakeClock()
    book, duty = Gateways(clock.stamp), DutyCycle("EU868", clock.boot_ns)
    book.event("roof", seen(EUI, listed=True))
    downlinks = Downlinks(book.driver_of, book, duty)
    downlinks.add("roof", Sender())
    send(downlinks)
    send(downlinks, "0" * 16)
    assert book.counts["roof", EUI].downlinks == {"OK": 1}
    assert book.counts["", "unknown"].downlinks == {"NO_GATEWAY": 1}
    assert duty.airtime_us == {("roof", EUI, "869.4-869.65"): airtime_of(ITEM)}


def test_what_does_not_fit_is_not_given_to_the_driver() -> None:
    clock = FakeClock()
    duty = DutyCycle("EU868", clock.boot_ns, enforce=True)
    sender = Sender()
    downlinks = Downlinks({EUI: "roof"}.get, duty=duty)
    downlinks.add("roof", sender)
    rx1 = msgspec.structs.replace(ITEM, data=bytes(200), freq_hz=868_100_000, datarate="SF12BW125")

    def go(*items: TxItem) -> list[TxStatus]:
        return [a.status for a in asyncio.run(downlinks.send(Downlink(EUI, items)))]

    n = 0
    while go(rx1, ITEM) == [TxStatus.OK, TxStatus.IGNORED]:
        n += 1
    assert n == 36_000_000 // airtime_of(rx1)
    assert go(rx1, ITEM) == [TxStatus.DUTY_CYCLE_OVERFLOW, TxStatus.OK]
    assert sender.sent[-1].items == (ITEM,)
    given = len(sender.sent)
    assert go(rx1, rx1) == [TxStatus.DUTY_CYCLE_OVERFLOW] * 2
    assert len(sender.sent) == given
    assert duty.airtime_us["roof", EUI, "868.0-868.6"] == n * airtime_of(rx1)
    assert duty.airtime_us["roof", EUI, "869.4-869.65"] == 2 * airtime_of(ITEM)


def test_somebody_is_told() -> None:
    told: list[tuple[str, str | None, list[TxStatus]]] = []
    downlinks = Downlinks({EUI: "roof"}.get)
    downlinks.add("roof", Sender())
    downlinks.told = lambda d, driver, answers: told.append((d.gateway, driver, [a.status for a in answers]))
    send(downlinks)
    send(downlinks, "0" * 16)
    assert told == [(EUI, "roof", [TxStatus.OK, TxStatus.IGNORED]), ("0" * 16, None, [TxStatus.NO_GATEWAY] * 2)]


# -- when gateways are on the air ------------------------------------------------------------------------------------


class Silent(Sender):
    """One whose gateways say nothing of what they do not send. `says`: what became of the items."""

    tells_refusals = False
    says: tuple[TxStatus, ...] = (TxStatus.OK,)

    async def transmit(self, downlink: Downlink) -> tuple[TxAnswer, ...]:
        assert self.on_air.is_busy(EUI, downlink.items[0]), "nobody else is to count on it meanwhile"
        return tuple(TxAnswer(s) for s in self.says)

    def __init__(self, on_air: OnAir) -> None:
        super().__init__()
        self.on_air = on_air


@pytest.mark.parametrize(
    ("says", "busy"),
    [
        ((TxStatus.OK, TxStatus.IGNORED), [True, False]),
        ((TxStatus.COLLISION_PACKET, TxStatus.OK), [False, True]),
        ((TxStatus.NO_ANSWER, TxStatus.IGNORED), [True, False]),
        ((TxStatus.TOO_LATE, TxStatus.TOO_LATE), [False, False]),
    ],
)
def test_what_was_sent_keeps_the_gateway_busy(says: tuple[TxStatus, ...], busy: list[bool]) -> None:
    on_air = OnAir(FakeClock().boot_ns)
    driver = Silent(on_air)
    driver.says = says
    downlinks = Downlinks({EUI: "roof"}.get, on_air=on_air)
    downlinks.add("roof", driver)
    items = tuple(msgspec.structs.replace(ITEM, at=After(n * 1_000_000, bytes(4))) for n in (1, 2))
    assert not downlinks.tells_refusals(EUI)
    asyncio.run(downlinks.send(Downlink(EUI, items)))
    assert [downlinks.is_busy(EUI, item) for item in items] == busy


def test_gateways_say_what_they_refuse_unless_it_is_known_that_they_do_not() -> None:
    downlinks = Downlinks({EUI: "roof"}.get)
    assert downlinks.tells_refusals("0" * 16)
    downlinks.add("roof", Sender())
    assert downlinks.tells_refusals(EUI)
    assert not downlinks.is_busy(EUI, ITEM)
