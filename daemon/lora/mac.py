"""One device's MAC layer as this site runs it: what its uplinks say, and what it is to be told next."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from torhaus.codecs.lorawan.fcnt import Kind
from torhaus.codecs.lorawan.keys import Version
from torhaus.codecs.lorawan.mac_commands import MacCommand, decode
from torhaus.codecs.lorawan.session import Opened
from torhaus.codecs.model import Frame
from torhaus.daemon.clock import Clock
from torhaus.daemon.config.devices import DeviceConfig
from torhaus.daemon.config.lorawan import MARGIN_DB, Adr
from torhaus.daemon.lora.adr import Setting, decide
from torhaus.daemon.lora.down_counters import DownCounters, key_of
from torhaus.daemon.lora.mac_requests import STICKY, Outcome, answered, wanted
from torhaus.daemon.lora.network import Device
from torhaus.daemon.lora.plan import Plan
from torhaus.daemon.lora.radio_link import RadioLink, RadioView
from torhaus.daemon.outbox.joins import Joined
from torhaus.daemon.outbox.mac_state import STARTED, Mac

OnStatus = Callable[[Device, Frame, Mac], None]
_CLASS_C: Final = 2


class MacLayer:
    """Of all devices. `configs`: by the device's name."""

    def __init__(self, plan: Plan, counters: DownCounters, clock: Clock, configs: Mapping[str, DeviceConfig]) -> None:
        self.requests: Counter[tuple[str, str]] = Counter()  # by command and what became of it
        self.on_status: OnStatus | None = None  # told of a device's battery and margin
        self._plan = plan
        self._counters = counters
        self._clock = clock
        self._configs = configs
        self._links: dict[str, RadioLink] = {}
        self._devices: dict[str, Device] = {}  # of these links

    def link(self, device: Device) -> RadioLink:
        """Of the device's present session: begun anew with each."""
        assert device.join is not None
        key = key_of(device)
        link = self._links.get(key)
        if link is None or link.number != device.join.number:
            link = self._links[key] = RadioLink(device.join.number)
            link.gateways = [device.join.mac.gateway] if device.join.mac.gateway else []
        self._devices[key] = device
        return link

    def known(self) -> list[tuple[Device, RadioLink]]:
        """Those that have been heard since the start."""
        return [(self._devices[key], link) for key, link in self._links.items()]

    def listens_always(self, device: Device) -> bool:
        """Whether it is of class C: by the list of devices, and where it speaks 1.1 by its own word as well."""
        config, join, session = self._configs.get(device.name), device.join, device.session
        if config is None or config.device_class != "C" or join is None or session is None:
            return False
        return session.keys.version is not Version.V1_1 or join.mac.device_class == _CLASS_C

    def heard(self, frame: Frame, opened: Opened, device: Device, dr: int | None, commands: list[MacCommand]) -> bool:
        """A new uplink. Whether a downlink has to come, so that the device stops repeating itself."""
        assert device.join is not None
        link, mac = self.link(device), device.join.mac
        if opened.kind is Kind.RESET or any(c.name == "ResetInd" for c in commands):  # personalised, and started anew
            mac = msgspec.structs.replace(
                STARTED, battery=mac.battery, margin_db=mac.margin_db, status_at_ns=mac.status_at_ns
            )
        if link.note(opened.fcnt, frame, dr) and dr is not None and mac.data_rate is not None and dr < mac.data_rate:
            mac = msgspec.structs.replace(mac, data_rate=dr, tx_power=0)  # it was not heard, and is loud again
        after, outcomes = mac, list[Outcome]()
        if commands or mac.pending:
            after, outcomes = answered(self._plan, mac, device.join.cf_list, commands, self._clock.wall_ns())
            mode = next((c.values["device_class"] for c in commands if c.name == "DeviceModeInd"), after.device_class)
            after = msgspec.structs.replace(after, device_class=mode)
        if link.gateways and self.listens_always(device) and after.gateway != link.gateways[0]:
            after = msgspec.structs.replace(after, gateway=link.gateways[0])
        if after is not device.join.mac and after != device.join.mac:
            self._counters.change(device, mac=after)
        self._told(device, frame, link, after, outcomes)
        return any(c.name in STICKY for c in commands)

    def _told(self, device: Device, frame: Frame, link: RadioLink, mac: Mac, outcomes: list[Outcome]) -> None:
        link.told(outcomes)
        for outcome in outcomes:
            self.requests[outcome.name, outcome.result] += 1
            if outcome.name == "DevStatusReq" and outcome.result == "accepted" and self.on_status is not None:
                self.on_status(device, frame, mac)

    def transmitted(self, device: Device, requests: Iterable[bytes], *, is_taken: bool) -> None:
        """These went with a downlink, or were to go with one that no gateway could send."""
        assert device.join is not None
        for request in requests:
            name = decode(request, uplink=False)[0][0].name
            self.requests[name, "sent" if is_taken else "not_sent"] += 1
        if requests and not is_taken:
            self._counters.change(device, mac=msgspec.structs.replace(device.join.mac, pending=""))

    def requests_for(self, device: Device, link: RadioLink, *, adr_bit: bool) -> list[bytes]:
        """What it is to be asked now, the most urgent first. `adr_bit`: it lets the network choose its data rate."""
        assert device.join is not None
        assert device.session is not None
        mac, cf_list = device.join.mac, device.join.cf_list
        adr = self._adapted(device, link, mac) if adr_bit else None
        is_due = self._is_due(device.join)
        if link.settled is mac and adr is None and not is_due:
            return []  # nearly always
        is_1_1 = device.session.keys.version is Version.V1_1
        found = wanted(self._plan, mac, cf_list, is_1_1=is_1_1, adr=adr, dr=link.dr, status_due=is_due)
        if not found and adr is None and not is_due:
            link.settled = mac
        return link.due(found)

    def _is_due(self, join: Joined) -> bool:
        """Whether it is time to ask for battery and margin."""
        every_ns = self._plan.config.dev_status_s * 1e9
        return every_ns > 0 and self._clock.wall_ns() - max(join.mac.status_at_ns, join.at_ns) >= every_ns

    def adr_of(self, device: Device) -> Adr:
        """As configured for the device, or for all."""
        config = self._configs.get(device.name)
        return self._plan.config.adr if config is None or config.adr is None else config.adr

    def _adapted(self, device: Device, link: RadioLink, mac: Mac) -> Setting | None:
        """What data rate and power are to be; None when they are as they should be, or are not ours to choose."""
        adr = self.adr_of(device)
        if adr == "off" or link.dr is None:
            return None
        now = Setting(link.dr, mac.tx_power, mac.nb_trans)
        if not isinstance(adr, str) and adr.data_rate is not None:
            fixed = Setting(adr.data_rate, adr.tx_power, mac.nb_trans)
            return None if fixed == now and mac.data_rate == fixed.data_rate else fixed
        own = None if isinstance(adr, str) else adr.margin_db
        if own is None:
            site = self._plan.config.adr
            own = MARGIN_DB if isinstance(site, str) or site.margin_db is None else site.margin_db
        then = decide(link.heard, now, self._plan.limits(mac), self._plan.region, own)
        return None if then == now else then

    def views(self) -> list[RadioView]:
        """All devices that have been heard, for people."""
        return [self._view(device, link) for device, link in self.known() if link.fcnt is not None]

    def _view(self, device: Device, link: RadioLink) -> RadioView:
        assert device.join is not None
        mac, interval = device.join.mac, link.interval_ns()
        return RadioView(
            device=device.name,
            dev_eui=device.dev_eui,
            dev_addr=f"{device.join.dev_addr:08x}",
            device_class="C" if self.listens_always(device) else "A",
            last_at_ns=link.last_at_ns,
            expected_at_ns=None if interval is None else link.last_at_ns + interval,
            fcnt=link.fcnt,
            datarate=link.datarate,
            snr_db=link.heard[-1].snr_db if link.heard else None,
            margin_db=link.margin_db(),
            loss=round(link.loss(), 4),
            tx_power=mac.tx_power,
            nb_trans=mac.nb_trans,
            gateways=list(link.gateways),
            battery=mac.battery,
            status_margin_db=mac.margin_db,
            status_at_ns=mac.status_at_ns or None,
            refused=list(mac.refused),
            pending=[mac.pending] if mac.pending else [],
        )
