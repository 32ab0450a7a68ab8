"""The way down: from whoever has something to send to the driver that has the gateway; the queue is not in it."""

from collections.abc import Callable
from typing import Any, cast

from torhaus.drivers.downlink import Downlink, Transmitter, TxAnswer, TxStatus


class Downlinks:
    """Routes downlinks to drivers. `driver_of` says which driver last heard a gateway, by the gateway's EUI.

    `present` gives the EUIs of the gateways that are there and may speak.
    """

    def __init__(self, driver_of: Callable[[str], str | None], present: Callable[[], list[str]] = list) -> None:
        self._driver_of = driver_of
        self.present = present
        self._transmitters: dict[str, Transmitter] = {}

    def add(self, name: str, driver: Any) -> None:  # noqa: ANN401 - any driver; those that cannot send are left out
        """A configured driver, which may be able to send."""
        if hasattr(driver, "transmit"):
            self._transmitters[name] = cast("Transmitter", driver)

    async def send(self, downlink: Downlink) -> tuple[TxAnswer, ...]:
        """Send it; one answer for each item, in order."""
        name = self._driver_of(downlink.gateway)
        transmitter = self._transmitters.get(name) if name is not None else None
        if transmitter is None:
            return (TxAnswer(TxStatus.NO_GATEWAY),) * len(downlink.items)
        return await transmitter.transmit(downlink)
