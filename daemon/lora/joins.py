"""Joins: requests and accepts that pass are read with the root keys, and the sessions kept that come of them.

Nothing is answered here; who does that at a site that is its own network server: standalone.py. The session that a
join-accept brings is on disk before the accept goes to the gateway, as the facts that its keys are derived from. The
device's older session stays beside it until the first uplink under the new one: the accept may not have reached it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

import msgspec

from torhaus.codecs.lorawan.downlink import Downlink
from torhaus.codecs.lorawan.eui import format_dev_addr, format_eui64
from torhaus.codecs.lorawan.join import JoinAcceptBody
from torhaus.codecs.lorawan.phy import JoinRequest, MType
from torhaus.codecs.lorawan.session import Session
from torhaus.codecs.model import DecodeError, Frame, RejectReason
from torhaus.daemon.clock import Clock
from torhaus.daemon.lora.join_book import WORDS, JoinBook, JoinResult
from torhaus.daemon.lora.network import Device, Network
from torhaus.daemon.lora.requests import Request, Requests
from torhaus.daemon.lora.roots import Roots
from torhaus.daemon.outbox.flush import Flush
from torhaus.daemon.outbox.joins import DeviceJoins, Joined

MAX_UNPROVED: Final = 4
"""Sessions of one device under which no uplink came yet; the oldest is let go of first."""
SAVE_S: Final = 0.5
"""How long a join-accept may wait for the disk: its window is 5 s after the request, and a server needs some of it."""
_JOIN_ACCEPT: Final = MType.JOIN_ACCEPT << 5


class Joiner(msgspec.Struct):
    """A device that can join: as configured, its sessions as they are kept, and as the network knows them."""

    device: Device
    roots: Roots
    allow_half_mic: bool = False
    join_eui: str | None = None  # that it has to ask for
    counts_nonces: bool = False  # its DevNonces rise (1.0.4, 1.1)
    kept: DeviceJoins = msgspec.field(default_factory=DeviceJoins)
    live: dict[int, Device] = {}  # by number


Judge = Callable[[Joiner, Frame, JoinRequest], tuple[JoinResult, RejectReason | None]]


class Joins:
    """All devices with root keys. `save` writes the state and returns when it is on disk, or cannot be written."""

    def __init__(
        self,
        network: Network,
        joiners: Iterable[Joiner],
        book: JoinBook,
        clock: Clock,
        save: Callable[[], Awaitable[None]],
    ) -> None:
        self._network = network
        self._joiners = {j.device.dev_eui: j for j in joiners if j.device.dev_eui is not None}
        self._book = book
        self._clock = clock
        self._save = save
        self.requests = Requests(clock)
        self._changed: set[str] = set()
        self.judge: Judge | None = None  # whoever answers joins here
        self.elsewhere: Callable[[str], bool] | None = None  # whether a device's keys are had from a server; told of it
        network.on_join = self.heard
        network.on_first = self.proved

    def restore(self, stored: dict[str, DeviceJoins]) -> int:
        """Take over what was on disk; returns how many sessions there are. Their counters come after it."""
        for dev_eui, kept in stored.items():
            joiner = self._joiners.get(dev_eui)
            if joiner is None:
                continue
            joiner.kept = kept
            for joined in kept.sessions:
                if joined.number:  # 0: that of a device that was personalised before it was given root keys
                    self._enter(joiner, joined)
        return sum(len(j.live) for j in self._joiners.values())

    def save(self, flush: Flush) -> None:
        """Have what has changed written with the rest of the state."""
        for dev_eui in self._changed:
            flush.joins[dev_eui] = self._joiners[dev_eui].kept
        self._changed.clear()

    def heard(self, frame: Frame, request: JoinRequest, device: Device | None) -> tuple[RejectReason | None, str]:
        """A join-request came: why it is refused, or None; and that in words."""
        eui = format_eui64(request.dev_eui)
        joiner = self._joiners.get(eui)
        if device is None:
            result, reason = JoinResult.UNKNOWN_DEVICE, RejectReason.UNKNOWN_DEVICE
        elif joiner is None:
            is_elsewhere = self.elsewhere is not None and self.elsewhere(eui)
            result = JoinResult.KEYS_ELSEWHERE if is_elsewhere else JoinResult.NO_ROOT_KEY
            reason = RejectReason.UNSUPPORTED
        elif not joiner.roots.asked_by(frame.data, request):
            result, reason = JoinResult.WRONG_KEY, RejectReason.MIC
        elif joiner.join_eui not in {None, format_eui64(request.join_eui)}:
            result, reason = JoinResult.WRONG_JOIN_EUI, RejectReason.KEY
        else:
            result, reason = JoinResult.REQUESTED, None
            self.requests.remember(frame, eui, request.join_eui, request.dev_nonce)
            if self.judge is not None:
                result, reason = self.judge(joiner, frame, request)
        rx = frame.radio.rx if frame.radio is not None else []
        self._book.note(
            result,
            eui,
            device=device.name if device is not None else None,
            join_eui=format_eui64(request.join_eui),
            dev_nonce=request.dev_nonce,
            gateway=rx[0].gateway if rx else None,
        )
        return reason, f"join-request: {WORDS[result]}"

    async def passing(self, downlink: Downlink) -> None:
        """A downlink is on its way to a gateway. Of a join-accept that can be read the session is saved first."""
        is_new = False
        for data in dict.fromkeys(item.data for item in downlink.items):
            if data[:1] and data[0] & 0xE0 == _JOIN_ACCEPT:
                is_new |= self._accept(data, downlink)
        if is_new:
            try:
                async with asyncio.timeout(SAVE_S):
                    await self._save()
            except TimeoutError:
                return  # it is being written still; a window that is missed would cost more than a crash just now

    def proved(self, device: Device) -> None:
        """The first uplink under a session came: the device has no older one, nor another that the same accept gave."""
        assert device.dev_eui is not None
        assert device.join is not None
        joiner, mine = self._joiners[device.dev_eui], device.join
        device.join = proved = msgspec.structs.replace(mine, is_proved=True)
        rest = [
            s
            for s in joiner.kept.sessions
            if s.number > mine.number and (s.join_nonce, s.dev_addr) != (mine.join_nonce, mine.dev_addr)
        ]
        self._keep(joiner, (proved, *rest))
        name, addr = device.name, format_dev_addr(mine.dev_addr)
        self._book.note(JoinResult.ESTABLISHED, device.dev_eui, device=name, dev_nonce=mine.dev_nonce, dev_addr=addr)

    # -- accepts -------------------------------------------------------------------------------------------------------

    def _accept(self, phy: bytes, downlink: Downlink) -> bool:
        """Whether there are new sessions."""
        asked, is_sure = self.requests.asked(downlink)
        read: list[tuple[Request, JoinAcceptBody]] = []
        for request in asked:
            try:
                read.append((request, self._joiners[request.dev_eui].roots.read(phy, request.asked)))
            except DecodeError:
                continue  # it answers somebody else's request, or was made with another key: told below
        if is_sure and not read:
            one = asked[0]
            joiner = self._joiners[one.dev_eui]
            self.told(JoinResult.UNREADABLE_ACCEPT, joiner, one.asked.join_eui, one.asked.nonce, downlink.gateway)
        begun = [self._begin(r, body, downlink.gateway) for r, body in reversed(read[:MAX_UNPROVED])]
        return any(begun)

    def _begin(self, request: Request, body: JoinAcceptBody, gateway: str) -> bool:
        joiner = self._joiners[request.dev_eui]
        joined = Joined(
            joiner.kept.last_number + 1,
            body.dev_addr,
            request.asked.join_eui,
            request.asked.nonce,
            body.join_nonce,
            body.net_id,
            body.opt_neg,
            body.cf_list.hex(),
            self._clock.wall_ns(),
        )
        if any(_same(joined, s) for s in joiner.kept.sessions):
            return False  # the same accept through another gateway, or once more
        is_read = self.begin(joiner, joined)
        addr = format_dev_addr(body.dev_addr)
        result = JoinResult.ACCEPTED if is_read else JoinResult.UNREADABLE_ACCEPT
        self.told(result, joiner, request.asked.join_eui, request.asked.nonce, gateway, addr)
        return is_read

    def begin(self, joiner: Joiner, joined: Joined, **more: Any) -> bool:  # noqa: ANN401 - fields of DeviceJoins
        """A device has a new session, if it takes it. False when its keys cannot be derived."""
        if not self._enter(joiner, joined):
            return False
        unproved = [s.number for s in (*joiner.kept.sessions, joined) if not s.is_proved]
        gone = set(unproved[:-MAX_UNPROVED])
        sessions = (*(s for s in joiner.kept.sessions if s.number not in gone), joined)
        self._keep(joiner, sessions, last_number=joined.number, **more)
        return True

    def change(self, device: Device, **values: Any) -> None:  # noqa: ANN401 - fields of Joined
        """Of one session; to be saved."""
        assert device.dev_eui is not None
        assert device.join is not None
        joiner = self._joiners[device.dev_eui]
        device.join = new = msgspec.structs.replace(device.join, **values)
        self._keep(joiner, tuple(new if s.number == new.number else s for s in joiner.kept.sessions))

    def forget_nonces(self, name: str) -> str | None:
        """Let a device that was reset use its DevNonces once more; its DevEUI, None when there is no such device."""
        found = next((j for j in self._joiners.values() if j.device.name == name), None)
        if found is not None:
            self._keep(found, found.kept.sessions, dev_nonces=())
        return found.device.dev_eui if found is not None else None

    def present(self, name: str) -> Device | None:
        """A device in its present session, the last one under which an uplink came; None where there is none."""
        found = next((j for j in self._joiners.values() if j.device.name == name), None)
        proved = [d for d in found.live.values() if d.join is not None and d.join.is_proved] if found else []
        return max(proved, key=lambda d: d.join.number if d.join is not None else 0, default=None)

    def of(self, device: Device) -> Joiner | None:
        """What is known of this device's joins."""
        return self._joiners.get(device.dev_eui or "")

    def told(
        self,
        result: JoinResult,
        joiner: Joiner,
        join_eui: int,
        dev_nonce: int,
        gateway: str | None,
        dev_addr: str | None = None,
    ) -> None:
        """What became of a request."""
        self._book.note(
            result,
            joiner.device.dev_eui or "",
            device=joiner.device.name,
            join_eui=format_eui64(join_eui),
            dev_nonce=dev_nonce,
            dev_addr=dev_addr,
            gateway=gateway,
        )

    # -- sessions ------------------------------------------------------------------------------------------------------

    def _enter(self, joiner: Joiner, joined: Joined) -> bool:
        """Have the network look for this session's uplinks. False when its keys cannot be derived."""
        try:
            keys = joiner.roots.session(joined)
        except DecodeError:  # the configuration has changed since: said by the device's next join
            return False
        session = Session(keys, joined.dev_addr, allow_half_mic=joiner.allow_half_mic, conf_fcnt=joined.conf_fcnt)
        live = msgspec.structs.replace(joiner.device, session=session, proved=None, under_way=[], join=joined)
        joiner.live[joined.number] = live
        self._network.add(live)
        return True

    def _keep(self, joiner: Joiner, sessions: tuple[Joined, ...], **more: Any) -> None:  # noqa: ANN401 - as above
        assert joiner.device.dev_eui is not None
        kept = {s.number for s in sessions}
        for number in [n for n in joiner.live if n not in kept]:
            self._network.drop(joiner.live.pop(number))
        joiner.kept = msgspec.structs.replace(joiner.kept, sessions=sessions, **more)
        self._changed.add(joiner.device.dev_eui)


def _same(one: Joined, other: Joined) -> bool:
    """Whether two are the session of one request and one accept."""
    both = ((s.dev_addr, s.join_eui, s.dev_nonce, s.join_nonce, s.net_id, s.opt_neg, s.cf_list) for s in (one, other))
    return next(both) == next(both)
