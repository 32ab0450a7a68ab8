"""A site without a network server: joins, network and answers, with a driver that notes what it was to send."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.daemon.join_scene import GATEWAY, JoinScene
from tests.daemon.lora_device import OtaaDevice
from torhaus.codecs.lorawan.downlink import Downlink, TxAnswer, TxItem, TxStatus
from torhaus.daemon.config.devices import DeviceConfig
from torhaus.daemon.config.model import Lorawan
from torhaus.daemon.lora.downlinks import Downlinks
from torhaus.daemon.lora.network import Uplink
from torhaus.daemon.lora.personal import Personal
from torhaus.daemon.lora.rounds import COLLECT_S
from torhaus.daemon.lora.standalone import Standalone

OTHER = "aa555a0000000102"


class Radio:
    """A driver. `refuses` has what the windows, or gateways, cannot do, in order; then all goes out."""

    def __init__(self) -> None:
        self.asked: list[Downlink] = []
        self.sent: list[Downlink] = []
        self.refuses: list[TxStatus] = []
        self.tells_refusals = True
        self.takes_turns = 0  # of the event loop, until it answers

    async def transmit(self, downlink: Downlink) -> tuple[TxAnswer, ...]:
        self.asked.append(downlink)
        for _ in range(self.takes_turns):
            await asyncio.sleep(0)
        answers = []
        for _ in downlink.items:
            answers.append(TxAnswer(self.refuses.pop(0) if self.refuses else TxStatus.OK))
            if answers[-1].status is TxStatus.OK:
                self.sent.append(downlink)
                break
        left = len(downlink.items) - len(answers)
        return (*answers, *((TxAnswer(TxStatus.IGNORED),) * left))


class StandaloneScene(JoinScene):
    """`disk` False: nothing can be saved."""

    def __init__(self, *known: OtaaDevice, **config: object) -> None:
        self.config = Lorawan(mode="standalone", **config)  # type: ignore[arg-type]
        self.radio = Radio()
        self.disk = True
        self.configs: dict[str, DeviceConfig] = {}
        self.personal = Personal(())
        super().__init__(*known)

    def _begin(self) -> None:
        super()._begin()
        downlinks = Downlinks({GATEWAY: "roof", OTHER: "roof"}.get)
        downlinks.add("roof", self.radio)
        downlinks.passing = self.joins.passing
        for it in self.known:
            self.joins._joiners[it.eui].counts_nonces = it.is_1_1
        self.personal.restore(self.stored, self.clock.wall_ns())
        self.standalone = Standalone(
            self.config,
            self.network,
            self.joins,
            downlinks,
            self.clock,
            self._save,
            configs=self.configs,
            personal=self.personal,
        )

    async def _save(self, _: str) -> bool:
        if self.disk:
            await self.save()
        return self.disk

    def run(self, body: Callable[[], Awaitable[None]]) -> None:
        async def main() -> None:
            async with asyncio.timeout(20):
                self._task = asyncio.create_task(self.standalone.run())
                try:
                    await body()
                finally:
                    await self._kill()

        asyncio.run(main())

    async def settle(self) -> None:
        """Until whoever collects has collected, and sent."""
        await self.clock.pass_s(COLLECT_S + 0.1)

    async def killed(self) -> None:
        """Begin again with what is on disk."""
        await self._kill()
        self.again()
        self._task = asyncio.create_task(self.standalone.run())

    async def _kill(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        assert self._task.cancelled(), self._task.exception()

    async def join(self, it: OtaaDevice) -> None:
        before = len(self.radio.sent)
        assert self.heard(it.ask()).reason is None
        await self.settle()
        assert len(self.radio.sent) == before + 1
        assert it.take(self.last().data)

    async def ask(self, phy: bytes) -> Uplink:
        up = self.heard(phy)
        await self.settle()
        return up

    def last(self) -> TxItem:
        return self.radio.sent[-1].items[0]
