"""Forwarder `chirpstack`: raw frames to a ChirpStack v4 server by MQTT 5, and its downlinks back to the gateways.

Topics `[prefix/]gateway/<EUI>/event/{up,stats,ack,exec}`, `…/state/conn` and `…/command/{down,config,exec}`; payloads:
codecs/framing/chirpstack_gw. A frame counts as delivered when the broker has acknowledged it and somebody subscribes.
What relays have in common: relay.py. What comes down: chirpstack_commands.py.

One connection serves all gateways, and a broker knows only one last will for it: it is used where `filter.gateways`
names a single gateway. Else what is retained may say ONLINE for a gateway of a box that has lost its power.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

from torhaus.codecs.framing.chirpstack_gw.commands import ConnState
from torhaus.codecs.framing.chirpstack_gw.fields import Message
from torhaus.codecs.framing.chirpstack_gw.messages import State
from torhaus.codecs.model import DecodeError
from torhaus.daemon.forward.base import Context, Item, Outcome, Unavailable
from torhaus.daemon.forward.chirpstack_commands import Commands
from torhaus.daemon.forward.chirpstack_config import Config
from torhaus.daemon.forward.chirpstack_exec import Executor
from torhaus.daemon.forward.chirpstack_fates import Fates
from torhaus.daemon.forward.chirpstack_frames import Frames, Parcel, encoder
from torhaus.daemon.forward.relay import age_s
from torhaus.daemon.forward.spacing import Spacing
from torhaus.daemon.lora.filters import parse_eui
from torhaus.daemon.mqtt import reasons, wire
from torhaus.daemon.mqtt.session import SessionLost, Settings
from torhaus.daemon.mqtt.subscriber import RECEIVE_MAX, Subscriber, connect_subscriber
from torhaus.daemon.supervise import together

__all__ = ["RELAY", "ChirpstackForwarder", "Config", "open_forwarder"]

RELAY: Final = True
LOOK_S: Final = 1.0
"""How often it is looked which gateways are there."""
MAX_ARRIVALS: Final = 64
"""Gateways that are introduced to the broker at once: some drivers take in any EUI."""
MAX_GATEWAYS: Final = 1024
REPORT_S: Final = 3600.0
"""So long a gateway's report is kept for a server that does not subscribe to reports."""
CLOSE_S: Final = 2.0
ANSWER: Final = -1
LIVE: Final = 1
BACKLOG: Final = 2
"""Urgencies: a lower number goes first."""


def open_forwarder(config: Config, context: Context) -> "ChirpstackForwarder":
    """The forwarder; touches nothing until it is opened."""
    return ChirpstackForwarder(config, context)


class ChirpstackForwarder:
    """One broker, any number of gateways. `commands`: what was asked for, by command and result."""

    max_batch = 1024
    concurrency = 1

    def __init__(self, config: Config, context: Context) -> None:
        self.note: str | None = None
        self.commands: Counter[tuple[str, str]] = Counter()
        self._config = config
        self._clock = context.clock
        self._site = context.site
        self._encode = encoder(config.encoding)
        self._frames = Frames(config, context.clock, self._encode)
        self._spacing = Spacing(config.spacing_s)
        self._downlinks = context.downlinks
        self._listed = frozenset(map(parse_eui, config.filter.gateways))
        self._root = f"{config.topic_prefix}/gateway/" if config.topic_prefix else "gateway/"
        self._takes_commands = config.downlinks or bool(config.exec)
        way_down = context.downlinks if config.downlinks else None
        executor = Executor(config.exec, config.exec_timeout_s)
        self._commands = Commands(way_down, executor, context.clock, self._answer, self.commands)
        self._session: Subscriber | None = None
        self._last_id = 0
        self._present: set[str] = set()  # gateways that the broker has been told of
        self._absent: set[str] = set()  # likewise: that they are not there
        self._alone = False  # the broker disconnected over one of several messages: one at a time, until it is found

    # -- connection ---------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Connect, and introduce the gateways that are there. Raises Unavailable."""
        await self.close()
        config = self._config
        endpoint = config.endpoint()
        secrets = await config.secrets()
        only = next(iter(self._listed)) if len(self._listed) == 1 else None
        settings = Settings(
            host=endpoint.host,
            port=endpoint.port,
            client_id=config.client_id or f"torhaus-{self._site}-{config.name}",
            tls=secrets.tls,
            username=config.username,
            password=secrets.password,
            keepalive_s=config.keepalive_s,
            clean_start=True,  # a command that has waited at the broker would be carried out too late
            session_expiry_s=0,
            receive_max=RECEIVE_MAX,
            timeout_s=config.timeout_s,
            will_topic=None if only is None else self._topic(only, "state/conn"),
            will_payload=b"" if only is None else self._encode(ConnState(only, State.OFFLINE)),
        )
        try:
            session = await connect_subscriber(settings, self._came, self._last_id)
        except SessionLost as lost:
            raise Unavailable(str(lost)) from None
        self._session = session
        self.note = None
        await self._look()

    async def gone(self) -> None:
        """Carry out commands and watch gateways come and go, until the connection is lost. Raises Unavailable."""
        if self._session is None:
            raise Unavailable("not connected")
        work: dict[str, Callable[[], Awaitable[None]]] = {
            "gateways": self._look_after,
            "commands": self._commands.run,
            "connection": self._until_lost,
        }
        raise await together(work, Unavailable)

    async def _until_lost(self) -> None:
        session = self._open_session()
        await asyncio.shield(session.closed)
        raise Unavailable(str(session.lost or "connection lost"))

    async def close(self) -> None:
        """Say that the gateways are offline, disconnect in order. Never raises."""
        session, self._session = self._session, None
        present, self._present = self._present, set()
        self._absent = set()
        self._commands.forget()
        if session is None:
            return
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._say(session, sorted(present), State.OFFLINE)
        except TimeoutError:
            session.abandon()
        await session.close()
        self._last_id = session.last_id

    def _open_session(self) -> Subscriber:
        session = self._session
        if session is None or session.lost is not None:
            raise Unavailable(str(session.lost) if session is not None and session.lost else "not connected")
        return session

    def _topic(self, gateway: str, what: str) -> str:
        return f"{self._root}{gateway}/{what}"

    # -- gateways -----------------------------------------------------------------------------------------------------

    async def _look_after(self) -> None:
        while True:
            await self._clock.sleep(LOOK_S)
            await self._look()

    async def _look(self) -> None:
        """Who has come, who has left. Raises Unavailable."""
        if self._downlinks is None:
            return
        there = self._wanted(self._downlinks.present())
        left = sorted(self._present - there)
        if left:
            await self._leave(left)
        absent = self._wanted(self._downlinks.absent())
        unsaid, self._absent = sorted(absent - self._absent - set(left)), absent
        if unsaid:  # what is retained may be of before a start of ours
            await self._say(self._open_session(), unsaid, State.OFFLINE)
        await self._arrive(sorted(there - self._present))

    def _wanted(self, gateways: list[str]) -> set[str]:
        return {g for g in gateways if not self._listed or g in self._listed}

    async def _arrive(self, gateways: list[str]) -> None:
        """Listen for their commands, then say that they are there."""
        gateways = gateways[: max(0, min(MAX_ARRIVALS, MAX_GATEWAYS - len(self._present)))]
        if not gateways:
            return
        session = self._open_session()
        self._present.update(gateways)
        if self._takes_commands:
            try:
                refused = await session.subscribe([self._topic(g, "command/+") for g in gateways])
            except SessionLost as lost:
                raise Unavailable(str(lost)) from None
            if refused:
                topic, why = next(iter(refused.items()))
                self.note = f"no commands for {len(refused)} gateways, such as {topic}: {why}"
        await self._say(session, gateways, State.ONLINE)

    async def _leave(self, gateways: list[str]) -> None:
        session = self._open_session()
        self._present.difference_update(gateways)
        if self._takes_commands:
            try:
                await session.unsubscribe([self._topic(g, "command/+") for g in gateways])
            except SessionLost as lost:
                raise Unavailable(str(lost)) from None
        await self._say(session, gateways, State.OFFLINE)

    async def _say(self, session: Subscriber, gateways: list[str], state: State) -> None:
        """Retained, for whoever wants to know; ChirpStack itself goes by reports and frames."""

        def render(index: int, packet_id: int) -> bytes:
            gateway = gateways[index]
            payload = self._encode(ConnState(gateway, state))
            return wire.encode_publish(self._topic(gateway, "state/conn"), payload, packet_id, retain=True)

        receipts = await session.publish(len(gateways), render, urgency=ANSWER)
        refused = next((code for code in receipts.codes if code >= 0x80), None)
        if refused is not None:
            self.note = f"state/conn refused: {reasons.describe(refused)}"

    # -- down ---------------------------------------------------------------------------------------------------------

    def _came(self, topic: str, payload: bytes) -> None:
        """A message from the broker."""
        gateway, _, what = topic.removeprefix(self._root).partition("/command/")
        if topic.startswith(self._root) and gateway in self._present:
            self._commands.put(gateway, what, payload)
        else:
            self.commands["other", "unknown"] += 1

    async def _answer(self, gateway: str, event: str, message: Message) -> None:
        """Before what waits of the uplinks. Nobody tries again what is not taken: it would come too late."""
        session = self._session
        if session is None:
            return
        try:
            payload = self._encode(message)
        except DecodeError as e:
            self.note = f"an answer could not be written: {e.detail}"
            return
        topic = self._topic(gateway, f"event/{event}")
        await session.publish(1, lambda _, pid: wire.encode_publish(topic, payload, pid), urgency=ANSWER)

    # -- up -----------------------------------------------------------------------------------------------------------

    async def send(self, batch: list[Item]) -> Outcome:
        """Publish, and wait for all PUBACKs. Raises Unavailable."""
        self._open_session()
        outcome = Outcome([], {}, {}, {})
        parcels = self._frames.parcels(batch, outcome)
        new = {p.gateway for p in parcels} - self._present
        if new and (self._downlinks is None or (new := new & self._wanted(self._downlinks.present()))):
            await self._arrive(sorted(new))
        fates = Fates()
        ready, waiting, until = self._spacing.split(parcels, self._now())
        await self._publish(ready, fates)
        if waiting and fates.lost is None:
            await self._clock.sleep(until - self._now())
        await self._publish(waiting, fates)
        self._alone = fates.blamed or (self._alone and fates.lost is not None)
        fates.into(outcome, lambda index: self._is_stale_report(batch[index]))
        if fates.lost is not None and not (outcome.accepted or outcome.rejected or outcome.dropped):
            raise Unavailable(fates.lost)
        return outcome

    async def _publish(self, parcels: list[Parcel], fates: Fates) -> None:
        if not parcels:
            return
        session = self._session
        if session is None or fates.lost is not None:
            fates.unsent(parcels)
            fates.lost = fates.lost or "not connected"
            return
        content_type = "application/json" if self._config.encoding == "json" else "application/x-protobuf"

        def render(index: int, packet_id: int) -> bytes:
            p = parcels[index]
            return wire.encode_publish(
                self._topic(p.gateway, f"event/{p.event}"),
                p.payload,
                packet_id,
                content_type=content_type,
                user_properties=[("id", p.id), ("late", "1" if p.late else "0")],
            )

        urgency = BACKLOG if parcels[0].late else LIVE
        receipts = await session.publish(len(parcels), render, alone=self._alone, urgency=urgency)
        self._spacing.sent(parcels, self._now())
        fates.note(parcels, receipts)

    def _is_stale_report(self, item: Item) -> bool:
        return item.message.kind == "event" and age_s(item.message, self._clock) > REPORT_S

    def _now(self) -> float:
        return self._clock.boot_ns() / 1e9
