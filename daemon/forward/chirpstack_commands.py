"""What a network server asks of gateways: downlinks, above all. Beside the uplinks, never behind them.

Commands are not kept on disk, nor are the answers: what cannot be sent in time is of no use later. A command comes
from a broker that anybody may write to whom its access list lets: it is bounded, checked and counted.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import msgspec

from torhaus.codecs.framing.chirpstack_gw.as_json import from_json
from torhaus.codecs.framing.chirpstack_gw.as_protobuf import from_protobuf
from torhaus.codecs.framing.chirpstack_gw.commands import GatewayCommandExecRequest, GatewayConfiguration
from torhaus.codecs.framing.chirpstack_gw.downlink import downlink, tx_ack
from torhaus.codecs.framing.chirpstack_gw.fields import Message
from torhaus.codecs.framing.chirpstack_gw.messages import DownlinkFrame
from torhaus.codecs.lorawan.downlink import After, Downlink, TxAnswer, TxItem, TxStatus
from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.daemon import logs
from torhaus.daemon.clock import Clock
from torhaus.daemon.forward.chirpstack_exec import Executor
from torhaus.daemon.forward.chirpstack_frames import LATE_CONTEXT
from torhaus.daemon.lora.downlinks import Downlinks
from torhaus.drivers.downlink import Configured

MAX_WAITING: Final = 256
"""Commands that have come and are not begun yet; what comes beyond it is answered QUEUE_FULL, or not at all."""
MAX_AT_ONCE: Final = 64
"""Downlinks under way at once."""
MAX_ANSWERING: Final = 1024
"""Answers that wait for the broker; commands beyond it are carried out and not answered."""
MAX_WAIT_S: Final = 5.0
"""A downlink that has waited longer is too late for any receive window."""
MAX_SEEN: Final = 4096
"""Downlinks whose numbers are remembered, so that a repeat by the broker is not sent twice."""
COMMANDS: Final = ("down", "config", "exec")
_NO_WAY: Final = Configured("refused", "downlinks of the forwarder is false")

M = TypeVar("M", bound=Message)
Publish = Callable[[str, str, Message], Awaitable[None]]
"""(gateway, event, message): sends an answer; never raises."""
Answer = tuple[str, Message]
"""The event that it is, and what it says."""


class Asked(msgspec.Struct, gc=False):
    """A command as it came. `at_ns`: boot time."""

    gateway: str
    what: str
    payload: bytes
    at_ns: int


class Commands:
    """The commands of one forwarder. `counts`: by command and what became of it; all are metric labels."""

    def __init__(
        self,
        downlinks: Downlinks | None,
        executor: Executor,
        clock: Clock,
        publish: Publish,
        counts: Counter[tuple[str, str]],
    ) -> None:
        self._downlinks = downlinks
        self._executor = executor
        self._clock = clock
        self._publish = publish
        self._counts = counts
        self._waiting: asyncio.Queue[Asked] = asyncio.Queue(MAX_WAITING)
        self._full: asyncio.Queue[Asked] = asyncio.Queue(MAX_WAITING)  # one too many: to be answered so
        self._answering = 0
        self._seen: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._told: Counter[str] = Counter()
        self._refused_configs: OrderedDict[str, str] = OrderedDict()

    def put(self, gateway: str, what: str, payload: bytes) -> None:
        """A command has come."""
        if what not in COMMANDS:
            self._count("other", "unknown")
            return
        asked = Asked(gateway, what, payload, self._clock.boot_ns())
        for queue in (self._waiting, self._full):
            if not queue.full():
                queue.put_nowait(asked)
                return
        self._count(what, "lost")

    def forget(self) -> None:
        """What is waiting came over a connection that is gone."""
        for queue in (self._waiting, self._full):
            while not queue.empty():
                self._count(queue.get_nowait().what, "lost")

    async def run(self) -> None:
        """Work on what comes. Never returns."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._refuse_what_is_too_much())
            free = asyncio.Semaphore(MAX_AT_ONCE)
            while True:
                asked = await self._waiting.get()
                await free.acquire()
                group.create_task(self._work(asked, free))

    async def _refuse_what_is_too_much(self) -> None:
        while True:
            asked = await self._full.get()
            if asked.what != "down":
                self._count(asked.what, "lost")
            elif (answer := await self._down(asked, TxStatus.QUEUE_FULL)) is not None:
                await self._publish(asked.gateway, *answer)

    async def _work(self, asked: Asked, free: asyncio.Semaphore) -> None:
        """Carry it out, let the next one begin, then answer: the answer may have to wait for the broker."""
        try:
            answer = await self._carry_out(asked)
        except Exception as e:  # noqa: BLE001 - a defect met on one command costs that one alone
            self._count(asked.what, "defect")
            logs.error("defect", e, component=f"command {asked.what}")
            answer = None
        finally:
            free.release()
        if answer is None:
            return
        if self._answering >= MAX_ANSWERING:
            self._count(asked.what, "unanswered")
            return
        self._answering += 1
        try:
            await self._publish(asked.gateway, *answer)
        finally:
            self._answering -= 1

    async def _carry_out(self, asked: Asked) -> Answer | None:
        if asked.what == "down":
            is_late = self._clock.boot_ns() - asked.at_ns > MAX_WAIT_S * 1e9
            return await self._down(asked, TxStatus.TOO_LATE if is_late else None)
        if asked.what == "config":
            await self._configure(asked)
            return None
        return await self._exec(asked)

    def _read(self, of: type[M], asked: Asked) -> M | None:
        """The message, if it can be read and is for the gateway of its topic."""
        try:
            message = _decoded(of, asked.payload)
        except DecodeError as e:
            self._count(asked.what, "unreadable")
            self._tell(asked, "cannot be read", e.detail or e.reason.value)
            return None
        gateway = getattr(message, "gateway_id", "")
        if gateway.lower() != asked.gateway:
            self._count(asked.what, "other_gateway")
            self._tell(asked, "is for another gateway than its topic says", None)
            return None
        return message

    # -- downlinks ----------------------------------------------------------------------------------------------------

    async def _down(self, asked: Asked, refused: TxStatus | None) -> Answer | None:
        frame = self._read(DownlinkFrame, asked)
        if frame is None:
            return None
        key = (asked.gateway, frame.downlink_id)
        if frame.downlink_id and key in self._seen:
            self._count("down", "repeated")
            return None
        self._seen[key] = None
        if len(self._seen) > MAX_SEEN:
            self._seen.popitem(last=False)
        answers = (TxAnswer(refused),) * len(frame.items) if refused is not None else await self._send(frame, asked)
        tried = [a.status for a in answers if a.status is not TxStatus.IGNORED]
        self._count("down", tried[-1].value if tried else TxStatus.IGNORED.value)
        return "ack", tx_ack(frame.downlink_id, asked.gateway, answers)

    async def _send(self, frame: DownlinkFrame, asked: Asked) -> tuple[TxAnswer, ...]:
        """One answer for each item."""
        try:
            wanted = downlink(frame)
        except DecodeError as e:
            self._tell(asked, "cannot be sent", e.detail or e.reason.value)
            return (TxAnswer(TxStatus.INTERNAL_ERROR),) * len(frame.items)
        if self._downlinks is None:
            return (TxAnswer(TxStatus.NO_GATEWAY),) * len(wanted.items)
        try:
            return await self._send_in_time(self._downlinks, wanted)
        except Exception as e:  # noqa: BLE001 - a driver's defect: the server is to know that nothing was sent
            self._count("down", "defect")
            logs.error("defect", e, component="downlink")
            return (TxAnswer(TxStatus.INTERNAL_ERROR),) * len(wanted.items)

    async def _send_in_time(self, downlinks: Downlinks, wanted: Downlink) -> tuple[TxAnswer, ...]:
        """What answers a late frame reaches no gateway: by its counter it might be sent at any other time."""
        answerable = tuple(item for item in wanted.items if not _answers_late(item))
        if len(answerable) == len(wanted.items):
            return await downlinks.send(wanted)
        rest = iter(await downlinks.send(Downlink(wanted.gateway, answerable)) if answerable else ())
        return tuple(TxAnswer(TxStatus.TOO_LATE) if _answers_late(item) else next(rest) for item in wanted.items)

    # -- the others ---------------------------------------------------------------------------------------------------

    async def _configure(self, asked: Asked) -> None:
        """A gateway's channels: most gateways have that as their own business. Told once for each version.

        It has no answer: the server sees in the gateway's reports which version it has.
        """
        config = self._read(GatewayConfiguration, asked)
        if config is None:
            return
        said = _NO_WAY if self._downlinks is None else await self._downlinks.configure(config)
        self._count("config", said.result)
        if said.result == "handed_over":
            logs.info("channels set", gateway=asked.gateway, version=config.version, channels=len(config.channels))
        elif self._refused_configs.get(asked.gateway) != config.version:
            self._refused_configs[asked.gateway] = config.version
            if len(self._refused_configs) > MAX_SEEN:
                self._refused_configs.popitem(last=False)
            self._tell(asked, "is not carried out", said.why)

    async def _exec(self, asked: Asked) -> Answer | None:
        request = self._read(GatewayCommandExecRequest, asked)
        if request is None:
            return None
        response, result = await self._executor.run(request)
        self._count("exec", result)
        return "exec", msgspec.structs.replace(response, gateway_id=asked.gateway, exec_id=request.exec_id)

    def _count(self, what: str, result: str) -> None:
        self._counts[what, result] += 1

    def _tell(self, asked: Asked, text: str, detail: str | None) -> None:
        """The 1st, 2nd, 4th, 8th … command of a kind that is not carried out is logged."""
        self._told[text] += 1
        n = self._told[text]
        if n & (n - 1) == 0:
            logs.warning(f"command {text}", command=asked.what, gateway=asked.gateway, detail=detail, count=n)


def _decoded(of: type[M], payload: bytes) -> M:
    """JSON, or else protobuf: a server that has not heard from a gateway yet does not know what it speaks."""
    if payload[:1] in {b"{", b" ", b"\n", b"\t", b"\r"}:
        return from_json(of, payload)
    try:
        return from_protobuf(of, payload)
    except ModuleNotFoundError:
        raise DecodeError(
            RejectReason.UNSUPPORTED, "it is no JSON; for protobuf: pip install 'torhaus[chirpstack]'"
        ) from None


def _answers_late(item: TxItem) -> bool:
    return isinstance(item.at, After) and item.at.context == LATE_CONTEXT
