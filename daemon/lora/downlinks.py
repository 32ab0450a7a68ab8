"""The way down: from whoever has something to send to the driver that has the gateway; the queue is not in it."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

import msgspec

from torhaus.codecs.lorawan.downlink import Downlink, TxAnswer, TxItem, TxStatus
from torhaus.daemon.lora.duty_cycle import DutyCycle
from torhaus.daemon.lora.gateways import Gateways
from torhaus.daemon.lora.on_air import OnAir
from torhaus.daemon.lora.orders import Orders
from torhaus.drivers.downlink import Configurable, Configured, Transmitter

if TYPE_CHECKING:  # loaded where there is a relay to ChirpStack
    from torhaus.codecs.framing.chirpstack_gw.commands import GatewayConfiguration

_OVERFLOW = TxAnswer(TxStatus.DUTY_CYCLE_OVERFLOW, detail="the duty cycle of this sub-band is used up for now")
_MAY_BE_SENT = frozenset({TxStatus.OK, TxStatus.NO_ANSWER})
Told = Callable[[Downlink, str | None, tuple[TxAnswer, ...]], None]
"""Called with the downlink, its driver and the answers."""


class Downlinks:
    """Routes downlinks to drivers. `driver_of` says which driver last heard a gateway, by the gateway's EUI.

    `gateways` counts what became of them, `duty` accounts their airtime and may refuse some, `on_air` remembers when
    gateways send.
    """

    def __init__(
        self,
        driver_of: Callable[[str], str | None],
        gateways: Gateways | None = None,
        duty: DutyCycle | None = None,
        on_air: OnAir | None = None,
    ) -> None:
        self._driver_of = driver_of
        self._gateways = gateways
        self._duty = duty
        self._on_air = on_air
        self._transmitters: dict[str, Transmitter] = {}
        self.orders: Orders | None = None  # the way in for downlinks that wait for their device
        self.told: Told | None = None  # whoever wants to know what became of every downlink
        self.passing: Callable[[Downlink], Awaitable[None]] | None = None  # whoever looks at it before it is sent

    def present(self) -> list[str]:
        """The EUIs of the gateways that are there and may speak."""
        return self._gateways.present() if self._gateways is not None else []

    def absent(self) -> list[str]:
        """The EUIs of those on the list that are known to be offline."""
        return self._gateways.absent() if self._gateways is not None else []

    def add(self, name: str, driver: Any) -> None:  # noqa: ANN401 - any driver; those that cannot send are left out
        """A configured driver, which may be able to send."""
        if hasattr(driver, "transmit"):
            self._transmitters[name] = cast("Transmitter", driver)

    def tells_refusals(self, gateway: str) -> bool:
        """Whether it is known in time when this gateway does not send something."""
        transmitter = self._transmitters.get(self._driver_of(gateway) or "")
        return transmitter is None or getattr(transmitter, "tells_refusals", True)

    def is_busy(self, gateway: str, item: TxItem) -> bool:
        """Whether it is known that the gateway sends something else while this would be on the air."""
        return self._on_air is not None and self._on_air.is_busy(gateway, item)

    async def configure(self, configuration: "GatewayConfiguration") -> Configured:
        """Have a gateway listen on other channels, if its driver can and may have that."""
        transmitter = self._transmitters.get(self._driver_of(configuration.gateway_id.lower()) or "")
        if not hasattr(transmitter, "configure"):
            return Configured("refused", "channels are set at the gateway itself")
        return await cast("Configurable", transmitter).configure(configuration)

    async def send(self, downlink: Downlink) -> tuple[TxAnswer, ...]:
        """Send it; one answer for each item, in order."""
        if self._on_air is None or not downlink.items:
            return await self._send(downlink)
        slot = self._on_air.take(downlink.gateway, downlink.items[0])  # nobody else is to count on this time
        answers: tuple[TxAnswer, ...] = ()
        try:
            answers = await self._send(downlink)
        finally:
            if slot is not None and not (answers and answers[0].status in _MAY_BE_SENT):
                self._on_air.free(slot)
        for item, answer in zip(downlink.items[1:], answers[1:], strict=False):
            if answer.status in _MAY_BE_SENT:
                self._on_air.take(downlink.gateway, item)
        return answers

    async def _send(self, downlink: Downlink) -> tuple[TxAnswer, ...]:
        if self.passing is not None:
            await self.passing(downlink)
        name = self._driver_of(downlink.gateway)
        transmitter = self._transmitters.get(name) if name is not None else None
        if name is None or transmitter is None:
            answers = (TxAnswer(TxStatus.NO_GATEWAY),) * len(downlink.items)
        else:
            answers = await self._transmit(transmitter, downlink)
            if self._duty is not None:
                label = self._gateways.label(downlink.gateway) if self._gateways is not None else downlink.gateway
                self._duty.sent(name, downlink.gateway, label, downlink.items, answers)
        if self._gateways is not None:
            self._gateways.answered(downlink.gateway, answers)
        if self.told is not None:
            self.told(downlink, name, answers)
        return answers

    def with_airtime(self, gateway: str, items: tuple[TxItem, ...]) -> tuple[TxItem, ...]:
        """Those of the items for which the gateway has airtime left, whether the limits are enforced or not."""
        return tuple(item for item in items if self._duty is None or self._duty.has_room(gateway, item))

    async def _transmit(self, transmitter: Transmitter, downlink: Downlink) -> tuple[TxAnswer, ...]:
        """All that is allowed at present; the driver does not see the rest."""
        fits = [self._duty is None or self._duty.fits(downlink.gateway, item) for item in downlink.items]
        if all(fits):
            return await transmitter.transmit(downlink)
        rest = tuple(item for item, fit in zip(downlink.items, fits, strict=True) if fit)
        if not rest:
            return (_OVERFLOW,) * len(fits)
        answers = iter(await transmitter.transmit(msgspec.structs.replace(downlink, items=rest)))
        return tuple(next(answers) if fit else _OVERFLOW for fit in fits)
