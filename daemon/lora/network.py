"""LoRaWAN on the daemon's side: whose frame is it, and what does it say. Holds the sessions; keeps nothing on disk."""

from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from torhaus.codecs.lorawan.eui import format_dev_addr, format_eui64
from torhaus.codecs.lorawan.fcnt import Kind
from torhaus.codecs.lorawan.keys import Version
from torhaus.codecs.lorawan.phy import DataFrame, JoinRequest, RejoinRequest, parse
from torhaus.codecs.lorawan.region import dr_index
from torhaus.codecs.lorawan.session import Opened, Session
from torhaus.codecs.model import DecodeError, Frame, Radio, RejectReason
from torhaus.daemon.lora.tx_channels import tx_channels
from torhaus.daemon.outbox.joins import Joined, session_key
from torhaus.daemon.outbox.record import Lora
from torhaus.daemon.outbox.state import Flush
from torhaus.daemon.outbox.state import Session as StoredSession

_V1_0: Final = Version.V1_0
_BAD_CRC: Final = -1


class Device(msgspec.Struct):
    """An end device known by name, as the pipeline needs it. `codec` is None for one whose payload stays raw."""

    name: str
    dev_eui: str | None = None
    codec: str | None = None
    script: str | None = None  # absolute path of a vendor's decoder
    session: Session | None = None
    proved: int | None = None  # the last counter whose frame is on disk; `session.fcnt_up` may be ahead of it
    under_way: list["Advance"] = []  # counters taken from frames that are not on disk yet, in order
    join: Joined | None = None  # that the session came of; None where it is personalised, or number 0: see personal.py
    fports: tuple[int, ...] = ()  # payloads on others are not decoded; empty: all are
    encoder: str | None = None  # absolute path of the script for downlinks, where there is one

    @property
    def session_id(self) -> str | None:
        """What its counter is kept under: DevEUI and number of the join, or the DevAddr of a device that has none."""
        if self.join is not None and self.join.number and self.dev_eui is not None:
            return session_key(self.dev_eui, self.join.number)
        if self.dev_eui is not None or self.session is None:
            return self.dev_eui
        return format_dev_addr(self.session.dev_addr)


class Advance(msgspec.Struct, eq=False, gc=False):
    """A device's counter went up to `fcnt`, on the strength of a frame that is not on disk yet (`stored` None)."""

    device: Device
    fcnt: int
    stored: bool | None = None


class Uplink(msgspec.Struct, gc=False):
    """What became of a LoRaWAN frame. `payload` is set only when MIC and counter say that it is new and genuine."""

    lora: Lora
    device: Device | None = None
    dev_eui: str | None = None
    payload: bytes | None = None
    reason: RejectReason | None = None
    detail: str | None = None
    stranger: bool = False
    advance: Advance | None = None
    copy_of: Advance | None = None  # it is the frame of this advance once more: safe only when that one is


class OnUplink(Protocol):
    """Told of a genuine uplink, and once more of each copy; `advance` says whether it is on disk, None: it is."""

    def __call__(
        self, frame: Frame, phy: DataFrame, opened: Opened, device: Device, advance: Advance | None, *, again: bool
    ) -> None:
        """It came."""
        ...


OnJoin = Callable[[Frame, JoinRequest, Device | None], tuple[RejectReason | None, str]]
OnRejoin = Callable[[Frame, RejoinRequest, Device | None], tuple[RejectReason | None, str]]


class Network:
    """The devices by DevAddr, and their counters.

    A device that has joined is there once more for each of its sessions. `on_join` says why a join-request is refused,
    `on_first` is told of uplinks under a session that was not proved before, `on_uplink` of every genuine one,
    `on_stranger` of the DevAddr of each that is nobody's.
    """

    def __init__(self, devices: list[Device], region: str) -> None:
        self.region = region
        self._by_addr: dict[int, list[Device]] = {}
        self._by_id: dict[str, Device] = {}
        self._names: dict[int, str] = {}  # DevAddrs as text
        self._changed: set[str] = set()
        self.on_join: OnJoin | None = None
        self.on_first: Callable[[Device], None] | None = None
        self.on_uplink: OnUplink | None = None
        self.on_rejoin: OnRejoin | None = None
        self.on_stranger: Callable[[int], None] | None = None
        self.missed_uplinks = 0  # by their counters
        self.mic_failures = 0  # of frames with a DevAddr that is known here
        for device in devices:
            if device.session_id is not None:
                self._by_id[device.session_id] = device
            if device.session is not None:
                device.proved = device.session.fcnt_up
                self.add(device)

    def add(self, device: Device) -> None:
        """Look for uplinks of this session, too."""
        assert device.session is not None
        if device.join is not None and device.session_id is not None:
            self._by_id[device.session_id] = device
        self._by_addr.setdefault(device.session.dev_addr, []).append(device)
        self._names[device.session.dev_addr] = format_dev_addr(device.session.dev_addr)

    def has_addr(self, dev_addr: int) -> bool:
        """Whether a session has this DevAddr."""
        return dev_addr in self._by_addr

    def drop(self, device: Device) -> None:
        """A session that came of a join is over."""
        assert device.join is not None
        self._by_id.pop(device.session_id or "", None)
        self._unlist(device)

    def renew(self, device: Device, session: Session | None) -> Device:
        """A device that is known by its DevEUI has another session, which did not come of a join here, or none."""
        assert device.dev_eui is not None
        if device.session is not None:
            self._unlist(device)
        proved = None if session is None else session.fcnt_up
        live = msgspec.structs.replace(device, session=session, proved=proved, under_way=[])
        self._by_id[device.dev_eui] = live
        if session is not None:
            self.add(live)
        return live

    def _unlist(self, device: Device) -> None:
        assert device.session is not None
        addr = device.session.dev_addr
        left = [d for d in self._by_addr.get(addr, ()) if d is not device]
        if left:
            self._by_addr[addr] = left
        else:
            self._by_addr.pop(addr, None)
            self._names.pop(addr, None)

    def restore(self, sessions: list[StoredSession]) -> None:
        """Take over the counters that were on disk, for the sessions that still have the same DevAddr."""
        for stored in sessions:
            device = self._by_id.get(stored.dev_eui)
            session = device.session if device else None
            if session is not None and format_dev_addr(session.dev_addr) == stored.dev_addr:
                session.fcnt_up = stored.fcnt_up
                assert device is not None
                device.proved = stored.fcnt_up

    def sessions(self) -> dict[str, int]:
        """Every session with its DevAddr, by what its counter is kept under."""
        return {id_: d.session.dev_addr for id_, d in self._by_id.items() if d.session is not None}

    def resave(self) -> set[str]:
        """Have the counters of all be saved once more that have one; which these are."""
        proved = {id_ for id_, d in self._by_id.items() if d.session is not None and d.proved is not None}
        self._changed |= proved
        return proved

    def changed(self) -> list[StoredSession]:
        """The sessions of which a new counter is on disk since the last call."""
        out = []
        for id_ in self._changed:
            device = self._by_id.get(id_)  # None: the session is over
            if device is not None and device.session is not None and device.proved is not None:
                out.append(StoredSession(id_, format_dev_addr(device.session.dev_addr), device.proved))
        self._changed.clear()
        return out

    def save(self, flush: Flush) -> None:
        """Have the new counters written with the rest of the state."""
        flush.sessions = self.changed()

    def settle(self, advances: list[Advance], *, stored: bool) -> None:
        """Their frames are on disk, or could not be stored.

        In the second case what the devices repeat is new again, unless a newer frame came since.
        """
        for advance in advances:
            device = advance.device
            assert device.session is not None
            advance.stored = stored
            device.under_way.remove(advance)
            if stored:
                device.proved = advance.fcnt
                if device.session_id is not None:
                    self._changed.add(device.session_id)
            else:
                device.session.fcnt_up = device.under_way[-1].fcnt if device.under_way else device.proved

    def receive(self, frame: Frame) -> Uplink:
        """Find the device, check, decrypt. Raises nothing: what cannot be used has a reason."""
        radio = frame.radio
        assert radio is not None
        modulation, datarate, coderate, rx = radio.modulation, radio.datarate, radio.coderate, radio.rx
        dr = dr_index(self.region, modulation, datarate, coderate)
        # by position: cheaper than by name, and this is every frame's way
        lora = Lora(radio.freq_hz, modulation, datarate, coderate, dr, None, None, None, False, rx)
        if frame.stranger is not None:
            return Uplink(lora, reason=frame.stranger, stranger=True)
        if rx and rx[0].crc == _BAD_CRC and all(r.crc == _BAD_CRC for r in rx):
            return Uplink(lora, reason=RejectReason.RADIO_CRC, stranger=True)
        try:
            phy = parse(frame.data)
        except DecodeError as e:
            return Uplink(lora, reason=e.reason, detail=e.detail, stranger=True)
        if type(phy) is DataFrame and phy.uplink:
            return self._data(frame, phy, lora)
        if isinstance(phy, JoinRequest):
            eui = format_eui64(phy.dev_eui)
            known = self._by_id.get(eui)
            if self.on_join is not None:
                why, text = self.on_join(frame, phy, known)
                return Uplink(lora, known, eui, None, why, text, stranger=True)
            reason = RejectReason.UNSUPPORTED if known else RejectReason.UNKNOWN_DEVICE
            return Uplink(lora, known, eui, None, reason, "join-request", stranger=True)  # anybody can send one
        if isinstance(phy, RejoinRequest) and self.on_rejoin is not None:
            eui = format_eui64(phy.dev_eui)
            known = self._by_id.get(eui)
            why, text = self.on_rejoin(frame, phy, known)
            return Uplink(lora, known, eui, None, why, text, stranger=True)
        text = "neither data uplink nor join-request"
        return Uplink(lora, reason=RejectReason.UNSUPPORTED, detail=text, stranger=True)

    def data_rate(self, radio: Radio) -> int | None:
        """The index of a data rate in this region; None where it has none."""
        return dr_index(self.region, radio.modulation, radio.datarate, radio.coderate)

    def _data(self, frame: Frame, phy: DataFrame, lora: Lora) -> Uplink:
        lora.dev_addr = self._names.get(phy.dev_addr) or format_dev_addr(phy.dev_addr)
        lora.fport = phy.fport
        lora.confirmed = phy.confirmed
        refused: DecodeError | None = None
        refusing: Device | None = None
        for device in self._by_addr.get(phy.dev_addr, ()):
            session = device.session
            assert session is not None
            try:
                chs = () if session.keys.version is _V1_0 else tx_channels(self.region, lora)
                opened = session.open_uplink(frame.data, phy, tx_dr=lora.dr, tx_chs=chs)
            except DecodeError as e:
                if refused is None or e.reason is not RejectReason.MIC:
                    refused, refusing = e, device  # a right MIC with an old counter names the device
                continue
            lora.fcnt = opened.fcnt
            if opened.kind is Kind.RETRANSMISSION:
                reason = RejectReason.DUPLICATE
                if device.join is not None:
                    lora.session = device.join.number or None
                first = next((a for a in reversed(device.under_way) if a.fcnt == opened.fcnt), None)
                if self.on_uplink is not None:
                    self.on_uplink(frame, phy, opened, device, first, again=True)
                return Uplink(lora, device, device.dev_eui, reason=reason, stranger=True, copy_of=first)
            if session.fcnt_up is not None and opened.fcnt > session.fcnt_up:
                self.missed_uplinks += opened.fcnt - session.fcnt_up - 1
            session.accept(opened)
            if device.join is not None:
                lora.session = device.join.number or None
                if not device.join.is_proved and self.on_first is not None:
                    self.on_first(device)
            advance = Advance(device, opened.fcnt)
            device.under_way.append(advance)
            if self.on_uplink is not None:
                self.on_uplink(frame, phy, opened, device, advance, again=False)
            payload = opened.payload if phy.fport else None  # FPort 0 and none: MAC commands only
            return Uplink(lora, device, device.dev_eui, payload, None, None, False, advance)
        if self.on_stranger is not None and (refused is None or refused.reason is RejectReason.MIC):
            self.on_stranger(phy.dev_addr)
        if refused is None:
            return Uplink(lora, reason=RejectReason.UNKNOWN_DEVICE, stranger=True)
        if refused.reason is RejectReason.MIC:  # anybody can send with a DevAddr that we know
            self.mic_failures += 1
            return Uplink(lora, None, None, None, refused.reason, refused.detail, stranger=True)
        assert refusing is not None
        # recordings of genuine frames can be sent by anybody, too: they must not displace readings
        return Uplink(lora, refusing, refusing.dev_eui, None, refused.reason, refused.detail, stranger=True)
