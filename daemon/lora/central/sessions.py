"""Whose session is to be asked for, and when; what is had is put before the network, and never on the disk.

All are asked for at the start and every `poll_s` from then on. A device is asked for at once when it is heard to join,
and when a frame with its address does not fit its keys; all are when a frame with an address of their network comes
that nobody has: it may have joined where nobody here heard it. None of this happens more often than is said below,
since anybody can send such frames.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final, Protocol

import msgspec

from torhaus.codecs.framing.chirpstack_api import Activation
from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.codecs.lorawan.keys import KeySet, Version
from torhaus.codecs.lorawan.session import Session
from torhaus.daemon import logs
from torhaus.daemon.clock import Clock
from torhaus.daemon.config.devices import DeviceConfig
from torhaus.daemon.lora.central.chirpstack import Away, Refused
from torhaus.daemon.lora.network import Device, Network
from torhaus.daemon.outbox.flush import Session as Counted

AT_ONCE: Final = 8
"""Devices that are asked for at the same time."""
AFTER_JOIN_S: Final = (2.0, 8.0, 30.0)
"""After a join-request: the server has the new session when it has made the join-accept, at the latest 6 s later."""
AGAIN_S: Final = 60.0
"""A device whose frames do not fit is asked for so often at most."""
SWEEP_S: Final = 300.0
"""All are asked for because of an unknown address so often at most."""
LONGEST_S: Final = 300.0
"""Between attempts while the server is away; the first is after five seconds, each next one after twice as long."""
MAX_STRANGERS: Final = 1024
"""Addresses that did not turn out to be anybody's: they are no reason to ask any more."""
MAX_BEHIND: Final = 1024
"""A server knows of fewer uplinks of a session than are kept here while a relay waits: of so many fewer at most."""
_FIRST_S: Final = 5.0
_LOOK_S: Final = 1.0
_NET_BITS: Final = 7
"""Of a DevAddr, that say whose network it is, and of which kind."""


class Client(Protocol):
    """Who knows the sessions."""

    async def activation(self, dev_eui: str, version: Version) -> Activation | None:
        """A device's session; None where it has none. Raises Away or Refused."""
        ...

    async def close(self) -> None:
        """Let go of it."""
        ...


class _Known(msgspec.Struct):
    """One device: what is had of it, and when it is asked for next (seconds since boot)."""

    config: DeviceConfig
    device: Device
    keys: KeySet | None = None
    due_s: list[float] = []
    asked_s: float | None = None
    why: str = ""  # it could not be had, the last time


class Central:
    """The devices of one server. `counted`: the counters that were on disk at the start, by DevEUI."""

    def __init__(
        self,
        client: Client,
        poll_s: float,
        devices: Iterable[tuple[DeviceConfig, Device]],
        network: Network,
        clock: Clock,
        counted: Mapping[str, Counted],
    ) -> None:
        self.results: Counter[str] = Counter()
        self.away: str | None = None
        """Why the server cannot be asked at present."""
        self._client = client
        self._poll_s = poll_s
        self._network = network
        self._clock = clock
        self._counted = counted
        now_s = self._now_s()
        self._known = {d.dev_eui: _Known(c, d, due_s=[now_s]) for c, d in devices if d.dev_eui is not None}
        self._addrs: dict[int, set[str]] = {}
        self._strangers: OrderedDict[int, None] = OrderedDict()
        self._swept_s = now_s
        self._wait_s = 0.0
        network.on_stranger = self.stranger

    def problem(self) -> str | None:
        """What is wrong, for people; None while all devices that have a session have it here."""
        if self.away is None:
            return None
        missing = sum(known.keys is None for known in self._known.values())
        return f"session keys of {missing} devices cannot be had from ChirpStack: {self.away}" if missing else None

    # -- reasons to ask ------------------------------------------------------------------------------------------------

    def joins(self, dev_eui: str) -> bool:
        """A device asks to join. Whether it is one of these."""
        known = self._known.get(dev_eui)
        if known is None:
            return False
        now_s = self._now_s()
        if known.due_s[0] > now_s + AFTER_JOIN_S[1]:
            known.due_s = [*(now_s + later_s for later_s in AFTER_JOIN_S), now_s + self._poll_s]
        return True

    def stranger(self, dev_addr: int) -> None:
        """A frame came that fits no session."""
        now_s, euis = self._now_s(), self._addrs.get(dev_addr)
        if euis is not None:
            for known in (self._known[eui] for eui in euis):
                if not self._was_asked(known, AGAIN_S):
                    self._soon(known, now_s)
            return
        if dev_addr in self._strangers or not self._is_near(dev_addr):
            return
        if now_s - self._swept_s < SWEEP_S:
            return
        self._swept_s = now_s
        self._strangers[dev_addr] = None
        if len(self._strangers) > MAX_STRANGERS:
            self._strangers.popitem(last=False)
        for known in self._known.values():
            self._soon(known, now_s)

    def _is_near(self, dev_addr: int) -> bool:
        """Whether an address is of a network of which there are sessions, or there are none yet."""
        shift = 32 - _NET_BITS
        return not self._addrs or any(addr >> shift == dev_addr >> shift for addr in self._addrs)

    def _soon(self, known: _Known, now_s: float) -> None:
        if known.due_s[0] > now_s:
            known.due_s = [now_s, *known.due_s]

    def _was_asked(self, known: _Known, within_s: float) -> bool:
        return known.asked_s is not None and self._now_s() - known.asked_s < within_s

    # -- asking --------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Ask until cancelled."""
        try:
            while True:
                await self._turn()
        finally:
            await self._client.close()

    async def _turn(self) -> None:
        """Those that are due, a few at a time, or one while the server is away; a moment's rest when there are none."""
        now_s = self._now_s()
        due = [known for known in self._known.values() if known.due_s[0] <= now_s]
        if not due:
            await self._clock.sleep(_LOOK_S)
            return
        async with asyncio.TaskGroup() as group:
            for known in due[: AT_ONCE if self.away is None else 1]:
                group.create_task(self._ask(known))
        if self.away is not None:
            self._wait_s = min(max(2 * self._wait_s, _FIRST_S), LONGEST_S)
            await self._clock.sleep(self._wait_s)

    async def _ask(self, known: _Known) -> None:
        dev_eui = known.device.dev_eui or ""
        known.asked_s = self._now_s()
        try:
            found = await self._client.activation(dev_eui, known.config.version)
        except Away as e:
            self._is_away(str(e))
            return
        except Refused as e:
            self._back()
            result = self._refused(known, str(e))
        else:
            self._back()
            result = self._take(known, found)
        self.results[result] += 1
        now_s = self._now_s()
        known.due_s = [s for s in known.due_s if s > now_s] or [now_s + self._poll_s]

    def _refused(self, known: _Known, why: str) -> str:
        if known.why != why:
            logs.warning("session keys of a device cannot be had", device=known.config.name, detail=why)
        known.why = why
        return "refused"

    def _take(self, known: _Known, found: Activation | None) -> str:
        """What came of it, as a label."""
        dev_eui, config = known.device.dev_eui or "", known.config
        if found is None:
            known.why = ""
            if known.keys is not None:
                self._forget(known)
                known.keys = None
                self._network.renew(known.device, None)
            return "none"
        session = known.device.session
        if known.keys == found.keys and session is not None and session.dev_addr == found.dev_addr:
            return "same"
        is_first = known.keys is None
        self._forget(known)
        known.keys, known.why = found.keys, ""
        session = Session(
            SessionKeys(found.keys),
            found.dev_addr,
            fcnt_up=self._last(dev_eui, found) if is_first else found.next_fcnt - 1 if found.next_fcnt else None,
            allow_reset=config.allow_fcnt_reset,
            allow_half_mic=config.allow_half_mic,
        )
        known.device = self._network.renew(known.device, session)
        self._addrs.setdefault(found.dev_addr, set()).add(dev_eui)
        self._strangers.pop(found.dev_addr, None)
        return "new"

    def _last(self, dev_eui: str, found: Activation) -> int | None:
        """The last counter that was used: the server's word, or what is kept here where that is ahead."""
        last = found.next_fcnt - 1 if found.next_fcnt else None
        kept = self._counted.get(dev_eui)
        if kept is None or int(kept.dev_addr, 16) != found.dev_addr or kept.fcnt_up >= found.next_fcnt + MAX_BEHIND:
            return last
        return max(kept.fcnt_up, -1 if last is None else last)

    def _forget(self, known: _Known) -> None:
        session = known.device.session
        if session is not None and (euis := self._addrs.get(session.dev_addr)) is not None:
            euis.discard(known.device.dev_eui or "")
            if not euis:
                del self._addrs[session.dev_addr]

    def _is_away(self, why: str) -> None:
        self.results["away"] += 1
        if self.away is None:
            logs.warning("session keys cannot be had from ChirpStack", detail=why)
        self.away = why

    def _back(self) -> None:
        if self.away is not None:
            self.away, self._wait_s = None, 0.0
            logs.info("session keys can be had from ChirpStack again")

    def _now_s(self) -> float:
        return self._clock.boot_ns() / 1e9
