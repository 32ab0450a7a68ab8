"""The readings path on one page: what a driver delivers becomes records, the records are put, the driver is told."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Protocol

from torhaus.codecs.model import Frame, Reject, RejectReason, Stamp
from torhaus.codecs.registry import Decode
from torhaus.daemon.alarms import Alarms
from torhaus.daemon.clock import Clock
from torhaus.daemon.driver_host import DriverHost, DriverWatch, call_each
from torhaus.daemon.lora.gateways import Gateway
from torhaus.daemon.lora.merge import Merging
from torhaus.daemon.lora.network import Device, Network, Uplink
from torhaus.daemon.outbox.record import Record
from torhaus.daemon.outbox.store import MAIN, RELAY, STRANGERS, Outbox
from torhaus.daemon.reading import Readings, ReadingWatch, defect_in
from torhaus.daemon.turn import Turn, as_heard, refused
from torhaus.drivers.base import Answer, Delivery, Done, GatewayStats

RECORD_BYTES: Final = 500
"""About what a record weighs besides its raw bytes, for the bound on what waits for a commit."""
Made = tuple[Record, bool, Uplink | None]
"""A frame's record, whether it is a stranger's, and how it was received over the air, if it was."""


class Watch(DriverWatch, ReadingWatch, Protocol):
    """Whom the pipeline tells what happened: metrics and log."""

    def frames(self, driver: str, count: int, at: Stamp) -> None:
        """A driver delivered so many frames."""
        ...

    def heard(self, driver: str, frames: list[Frame]) -> None:
        """They are frames of gateways."""
        ...

    def reported(self, driver: str, stats: GatewayStats) -> None:
        """A gateway reported of itself."""
        ...


class Pipeline:
    """One for all drivers. `host(name)` gives each its own door."""

    def __init__(
        self,
        outbox: Outbox,
        network: Network,
        devices: list[Device],
        codec: Callable[[str], Decode],
        watch: Watch,
        clock: Clock,
        alarms: Alarms | None = None,
        windows_s: Mapping[str, float] | None = None,
    ) -> None:
        self.relayed: Callable[[Record], bool] | None = None  # whether a frame is for a network server, if there is one
        self.waits: Callable[..., bool] | None = None  # takes the deliveries that cannot be judged yet
        self.merging: Merging | None = None  # what puts together what several gateways hear, where that is wanted
        self._windows_s = windows_s or {}  # by driver: how long its frames may wait for a commit
        self._outbox = outbox
        self._network = network
        self.readings = Readings(devices, codec, watch, alarms, network.data_rate)
        self.bind = self.readings.bind
        self._watch = watch
        self._clock = clock

    def host(self, driver: str, running: object = None) -> DriverHost:
        """What the driver of that name is run with. `running`: the driver itself, for what it knows of its devices."""
        self.bind(getattr(running, "decoders", {}))
        return DriverHost(self.accept_all, self._watch, self._clock, driver)

    def accept(
        self, driver: str, frames: list[Frame], rejects: list[Reject], done: Done | None, stats: GatewayStats | None
    ) -> None:
        """Turn one delivery into records and put them; `done` follows the commit."""
        self.accept_all(driver, [(frames, rejects, done, stats)], call_each)

    def accept_all(self, driver: str, deliveries: list[Delivery], answer: Answer) -> None:
        """Turn what came in one turn of the loop into records and put them; `answer` follows the commit.

        A defect met on one delivery costs that one its acknowledgement, and no other anything.
        """
        taken = [d for d in deliveries if self._has_room_for(driver, d, answer)]
        frames = [frame for delivery in taken for frame in delivery[0]]
        made = self._made(driver, frames)
        if frames:
            self._watch.frames(driver, len(frames), frames[-1].at)
            if frames[0].radio is not None:
                self._watch.heard(driver, frames)
        turn, at = Turn(answer), 0
        for delivery in taken:
            begin, at = at, at + len(delivery[0])
            try:
                turn = self._enter(driver, delivery, made[begin:at], turn)
            except Exception as e:  # noqa: BLE001 - the others must not be lost: packet forwarders send only once
                self._watch.defect("pipeline", e)
        self._put(driver, turn)

    def _has_room_for(self, driver: str, delivery: Delivery, answer: Answer) -> bool:
        """Whether it can be judged and stored now. If not it waits for that, or is refused."""
        frames, rejects, ticket, stats = delivery
        outbox = self._outbox
        if self.waits is not None:
            done = None if ticket is None else partial(answer, [ticket])
            if self.waits(driver, frames, rejects, done, stats):
                return False
        if outbox.has_room() and (self.relayed is None or outbox.has_room(RELAY)):
            return True
        outbox.report.refused(len(frames) + len(rejects) + (stats is not None), "backlog")
        if ticket is not None:
            answer([ticket], False)
        return False

    def _made(self, driver: str, frames: list[Frame]) -> list[Made]:
        """The records of all of these, in order.

        All are checked and decrypted before the first is decoded: a tenth cheaper, since each step's code and data are
        at hand.
        """
        receive = self._network.receive
        uplinks: list[Uplink | Exception | None] = []
        for frame in frames:
            try:
                uplinks.append(None if frame.radio is None else receive(frame))
            except Exception as e:  # noqa: BLE001 - our own fault on one frame costs neither its bytes nor its neighbours
                uplinks.append(e)
        return [self._record(driver, frame, up) for frame, up in zip(frames, uplinks, strict=True)]

    def _record(self, driver: str, frame: Frame, up: Uplink | Exception | None) -> Made:
        heard = None if isinstance(up, Exception) else up
        try:
            if isinstance(up, Exception):
                raise up  # noqa: TRY301 - to be told like any other
            record, strange = self._uplink(driver, frame, up) if up else self.readings.of_telegram(driver, frame)
        except Exception as e:  # noqa: BLE001 - likewise
            detail = defect_in(self._watch, driver, "", e)
            return refused(frame, None, None, RejectReason.DEFECT, detail, None), True, heard
        return record, strange, heard

    def _enter(self, driver: str, delivery: Delivery, made: list[Made], turn: Turn) -> Turn:
        """One delivery, into `turn` or by itself. Returns the turn that the next one may join."""
        frames, rejects, ticket, stats = delivery
        main, strangers, relay, relayed = turn.main, turn.strangers, turn.relay, self.relayed
        before = len(main), len(turn.advances), turn.size_bytes
        for frame, (record, strange, up) in zip(frames, made, strict=True):
            turn.size_bytes += RECORD_BYTES + len(frame.data)
            if up is not None:
                if up.advance is not None:
                    turn.advances.append(up.advance)
                if up.copy_of is not None:
                    turn.copies_of.append(up.copy_of)
            if not strange:
                main.append((frame.at, record))
            if relayed is not None and frame.radio is not None and frame.stranger is None and relayed(record):
                relay.append((frame.at, as_heard(record)))
            if strange or record.reason is not None:  # a forwarder of readings lets go of it: the bytes stay here
                strangers.append((frame.at, record))
        if not (strangers or rejects or stats is not None or turn.copies_of or relay):
            if ticket is not None:
                turn.tickets.append(ticket)
            return turn
        alone = turn.split(*before)
        if ticket is not None:
            alone.tickets.append(ticket)
        try:
            self._others(driver, alone, rejects, stats)
        except Exception as e:  # noqa: BLE001 - what there is of it is put, and not acknowledged
            self._watch.defect("pipeline", e)
            alone.is_whole = False
        self._put(driver, turn)  # in the order in which they came
        self._put(driver, alone)
        return Turn(turn.answer)

    def _others(self, driver: str, turn: Turn, rejects: list[Reject], stats: GatewayStats | None) -> None:
        """What is no frame: what the driver refused, and what a gateway says of itself."""
        for r in rejects:
            turn.size_bytes += RECORD_BYTES + len(r.data)
            self._watch.rejected(driver, "", r.reason)
            event: dict[str, float | int | str] | None = {"source": r.source} if r.source else None
            record = Record("frame", driver, reason=r.reason.value, detail=r.detail, event=event, raw=r.data)
            turn.strangers.append((self._clock.stamp(), record))
        if stats is not None:
            values = stats.values | {"gateway": stats.gateway}
            log = turn.strangers if stats.stranger else turn.main
            log.append((stats.at, Record("event", driver, event=values)))
            if self.relayed is not None and not stats.stranger:
                turn.relay.append((stats.at, Record("event", driver, event=values)))
            self._watch.reported(driver, stats)

    def _put(self, driver: str, turn: Turn) -> None:
        outbox, size = self._outbox, turn.size_bytes
        if turn.main:
            outbox.put(MAIN, turn.main, size)
        if turn.relay:
            outbox.put(RELAY, turn.relay, size)
        if turn.strangers and outbox.has_room(STRANGERS):
            outbox.put(STRANGERS, turn.strangers, size)
        elif turn.strangers:
            outbox.report.refused(len(turn.strangers), "strangers_backlog")
            turn.is_whole = False
        elif not (turn.main or turn.relay or turn.is_awaited()):
            return
        told = partial(self._told, turn) if turn.is_awaited() else None
        outbox.commit(told, self._windows_s.get(driver, 0.0))

    def turned(self, eui: str, gateway: Gateway) -> None:
        """A gateway came or went: an event for central services, if the configuration names it.

        Not for relays: network servers are told in their own ways, and would take it for a gateway's report.
        """
        if not gateway.listed:
            return
        if self._outbox.has_room():
            event: dict[str, float | int | str] = {"gateway": eui, "state": "online" if gateway.online else "offline"}
            self._outbox.put(MAIN, [(self._clock.stamp(), Record("event", gateway.driver, event=event))], RECORD_BYTES)
            self._outbox.commit(None)
        else:
            self._outbox.report.refused(1, "backlog")

    def _told(self, turn: Turn, stored: bool) -> None:
        self._network.settle(turn.advances, stored=stored)
        turn.told(stored)

    def _uplink(self, driver: str, frame: Frame, up: Uplink) -> tuple[Record, bool]:
        device = up.device
        if up.reason is not None:
            if up.reason is not RejectReason.DUPLICATE or self.merging is None or not self.merging.copy(frame, up):
                self._watch.rejected(driver, "lorawan", up.reason)
            return refused(frame, device, up.dev_eui, up.reason, up.detail, up.lora), up.stranger
        assert device is not None
        if up.stranger:  # a join-request that is right: nothing to decode, and recordings of it can be sent by anybody
            return Record("frame", frame.driver, device.name, device.dev_eui, lora=up.lora, raw=frame.data), True
        return self.readings.decode(frame, device, up.payload, up.lora), False
