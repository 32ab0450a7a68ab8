"""A session that takes messages as well: subscriptions at QoS 1, and what comes of them.

Source: MQTT Version 5.0, OASIS Standard, 7 March 2019, 3.8 to 3.11 (subscribing), 3.3, 3.4 and 4.3.2 (QoS 1).
A Subscriber acknowledges a message when it has been handed over: whoever takes it keeps it in memory, or lets it fall.
A Keeping one does when whoever takes it says so: until then the broker has it.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from torhaus.daemon.forward.flight import ProtocolError
from torhaus.daemon.mqtt import reasons, wire
from torhaus.daemon.mqtt.session import Session, SessionLost, Settings, connect_as

Listener = Callable[[str, bytes], None]
"""(topic, payload) of a message that came. Must not raise, nor wait."""

Keeper = Callable[[str, bytes, Callable[[], None]], None]
"""(topic, payload, kept): `kept` is to be called when the message is on disk, in the order of coming. As Listener."""

RECEIVE_MAX: Final = 64
"""Messages that the broker may have under way to us."""

_ANSWERS: Final = (wire.SubAckPacket, wire.UnsubAckPacket)


class Subscriber(Session):
    """See the module. Made by `connect_subscriber`."""

    def __init__(self, settings: Settings, hello: bytes, last_id: int, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(settings, hello, last_id, loop)
        self.listener: Listener | None = None
        self._asked: dict[int, asyncio.Future[wire.SubAckPacket | wire.UnsubAckPacket]] = {}

    async def subscribe(self, filters: list[str]) -> dict[str, str]:
        """Subscribe; the filters that the broker refused, each with its reason. What is retained does not come.

        Raises SessionLost when the connection is lost or the broker does not answer.
        """
        answer = await self._ask(lambda packet_id: wire.SubscribePacket(packet_id, list(map(_wanted, filters))))
        codes = [int(code) for code in answer.reason_codes]
        if len(codes) != len(filters):
            self._end(SessionLost(f"broker answered {len(codes)} of {len(filters)} subscriptions"))
            raise self.lost or SessionLost("connection lost")
        return {f: reasons.describe(code) for f, code in zip(filters, codes, strict=True) if code >= 0x80}

    async def unsubscribe(self, filters: list[str]) -> None:
        """Let subscriptions go. Raises SessionLost."""
        await self._ask(lambda packet_id: wire.UnsubscribePacket(packet_id, filters))

    async def _ask(
        self, make: Callable[[int], wire.SubscribePacket | wire.UnsubscribePacket]
    ) -> wire.SubAckPacket | wire.UnsubAckPacket:
        if self.lost is not None or self._transport is None:
            raise self.lost or SessionLost("not connected")
        packet_id = self._flight.next_id()
        try:
            data = wire.build(partial(make, packet_id))
        except ProtocolError as error:
            raise SessionLost(f"no such subscription can be made: {error.detail}") from None
        self._flight.reserved.add(packet_id)
        answer: asyncio.Future[wire.SubAckPacket | wire.UnsubAckPacket] = self._loop.create_future()
        self._asked[packet_id] = answer
        try:
            self._transport.write(data)
            async with asyncio.timeout(self._settings.timeout_s):
                found = await answer
        except TimeoutError:
            self._end(SessionLost(f"no answer to a subscription within {self._settings.timeout_s:g} s"))
            raise self.lost or SessionLost("connection lost") from None
        finally:
            del self._asked[packet_id]
            self._flight.reserved.discard(packet_id)
        return found

    def _other(self, packet: wire.Packet) -> None:
        """Everything but PUBACK."""
        if isinstance(packet, wire.PublishPacket) and self._greeting.done():
            self._take(packet)
        elif isinstance(packet, _ANSWERS) and (answer := self._asked.get(packet.packet_id)) is not None:
            if not answer.done():
                answer.set_result(packet)
        else:
            super()._other(packet)

    def _take(self, packet: wire.PublishPacket) -> None:
        if int(packet.qos) > 1 or packet.topic_alias is not None:  # neither was asked for (3.1.2.11.5, 3.8.3.1)
            self._end(SessionLost("broker sent a message with a QoS or topic alias that was not asked for"))
            return
        self._hand_over(packet)

    def _hand_over(self, packet: wire.PublishPacket) -> None:
        if self.listener is not None:
            self.listener(packet.topic, packet.payload)
        self._acknowledge(packet.packet_id)

    def _acknowledge(self, packet_id: int | None) -> None:
        if packet_id and self._transport is not None and self.lost is None:
            self._sent = True
            self._transport.write(wire.encode_puback(packet_id))

    def _end(self, lost: SessionLost, *, abort: bool = True) -> None:
        super()._end(lost, abort=abort)
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(self.lost or lost)


class Keeping(Subscriber):
    """See the module. Made by `connect_keeping`. What the broker kept for us comes at once: it waits for the keeper."""

    def __init__(self, settings: Settings, hello: bytes, last_id: int, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(settings, hello, last_id, loop)
        self._most = settings.receive_max
        self._keeper: Keeper | None = None
        self._early: list[wire.PublishPacket] = []

    def use(self, keeper: Keeper) -> None:
        """From now on messages go there, those first that have come already."""
        self._keeper = keeper
        early, self._early = self._early, []
        for packet in early:
            self._hand_over(packet)

    def _hand_over(self, packet: wire.PublishPacket) -> None:
        if self._keeper is not None:
            self._keeper(packet.topic, packet.payload, partial(self._acknowledge, packet.packet_id))
        elif len(self._early) < self._most:  # beyond it a message can only be of QoS 0
            self._early.append(packet)


def _wanted(pattern: str) -> wire.TopicFilter:
    never = wire.RetainHandling.SEND_NEVER
    return wire.TopicFilter(pattern, max_qos=wire.QoS.AT_LEAST_ONCE, retain_handling=never)


async def connect_subscriber(settings: Settings, listener: Listener, last_id: int = 0) -> Subscriber:
    """A session that may publish and subscribe; messages go to `listener`. Raises SessionLost."""
    session = await connect_as(Subscriber, settings, last_id)
    session.listener = listener
    return session


async def connect_keeping(settings: Settings, keeper: Keeper, last_id: int = 0) -> Keeping:
    """A session that may publish and subscribe; messages go to `keeper`. Raises SessionLost."""
    session = await connect_as(Keeping, settings, last_id)
    session.use(keeper)
    return session
