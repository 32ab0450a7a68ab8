"""Orders for downlinks, from the command line, the status page's socket or the centre: checked, encoded, queued.

An order is a JSON object: `device` (name or DevEUI); the payload as `hex`, `base64` or `json` (what the device's script
encodes); `fport`; if you like `confirmed`, `priority` (0 to 9, the higher one first), `expires_s`, and `ref`, the
caller's own name for it: one that comes again with the ref of one of the device's last orders is not queued again.
"""

import base64
import binascii
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Final

import msgspec

from torhaus.codecs.lorawan.eui import format_eui64, parse_eui64
from torhaus.codecs.lorawan.region import max_payload
from torhaus.codecs.lorawan.regions.model import Region
from torhaus.codecs.model import DecodeError
from torhaus.daemon.lora.queue import NOT_STORED, DownlinkQueue
from torhaus.daemon.lora.queued_items import QueueFull
from torhaus.daemon.outbox.queued import Queued
from torhaus.daemon.scripts.protocol import Encoded

MAX_ORDER_BYTES: Final = 16 << 10
MAX_PRIORITY: Final = 9
MAX_REF: Final = 128
WEEK_S: Final = 7 * 86_400.0
YEAR_S: Final = 366 * 86_400.0
MAX_FPORT: Final = 223
"""LoRaWAN 1.0.4 section 4.3.2: 1 to 223 are the application's, 0 is for MAC commands, 224 for tests."""


class OrderRefused(Exception):  # noqa: N818 - a fact
    """`reason` is a metric's label; the text says it to a person, without the payload."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A downlink that is to be sent: payload in one of three ways, to a device by its name or DevEUI."""

    device: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    fport: int | None = None
    hex: Annotated[str, msgspec.Meta(max_length=1024)] | None = None
    base64: Annotated[str, msgspec.Meta(max_length=1024)] | None = None
    json: Any = msgspec.UNSET
    confirmed: bool = False
    priority: Annotated[int, msgspec.Meta(ge=0, le=MAX_PRIORITY)] = 0
    expires_s: Annotated[float, msgspec.Meta(ge=1, le=YEAR_S)] = WEEK_S
    ref: Annotated[str, msgspec.Meta(max_length=MAX_REF)] = ""


class Placed(msgspec.Struct, frozen=True):
    """A queued order. `is_new` False: its ref is known, and it was not queued again. `ahead`: how many go before it."""

    item: Queued
    is_new: bool = True
    ahead: int = 0
    warnings: list[str] = []


TellRefused = Callable[[str | None, dict[str, str]], None]
"""(DevEUI, what is to be told): of an order that came from far away, and was refused."""
Encode = Callable[[str, Any, int | None], Awaitable[Encoded]]
"""(DevEUI, what the downlink should say, FPort). Raises OrderRefused."""
_decode: Final = msgspec.json.Decoder(Order).decode


def parse_order(data: bytes) -> Order:
    """An order as it is sent. Raises OrderRefused, and nothing else whatever the bytes are."""
    if len(data) > MAX_ORDER_BYTES:
        raise OrderRefused("malformed", f"more than {MAX_ORDER_BYTES} bytes")
    try:
        return _decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as e:
        raise OrderRefused("malformed", f"no order: {e}"[:200]) from None


class Orders:
    """`names`: the devices' names by DevEUI. `refusals`: why nothing is sent to some of them, by DevEUI."""

    def __init__(
        self, queue: DownlinkQueue, region: Region, names: Mapping[str, str], refusals: Mapping[str, tuple[str, str]]
    ) -> None:
        self.refused: Counter[str] = Counter()  # by reason
        self.encode: Encode | None = None
        self.on_refused: TellRefused | None = None
        self.queue = queue
        self._names = names
        self._by_name = {name: eui for eui, name in names.items()}
        self._refusals = refusals
        rates = {dr for row in region.rx1.values() for dr in row} | {region.rx2_dr}
        self.most_bytes = max(max_payload(region, dr) for dr in rates)

    def dev_eui(self, device: str) -> str | None:
        """Of a device by its name, or of one by its DevEUI; None where there is no such device."""
        if device in self._by_name:
            return self._by_name[device]
        try:
            eui = format_eui64(parse_eui64(device))
        except DecodeError:
            return None
        return eui if eui in self._names else None

    def name(self, dev_eui: str) -> str | None:
        """Of a device by its DevEUI."""
        return self._names.get(dev_eui)

    def parse(self, data: bytes) -> Order:
        """As parse_order; a refusal is counted. Raises OrderRefused."""
        try:
            return parse_order(data)
        except OrderRefused as e:
            self.refused[e.reason] += 1
            raise

    def tell_refused(self, device: str, ref: str, error: OrderRefused) -> None:
        """Tell central services that an order was refused; `device` and `ref` as it had them."""
        if self.on_refused is not None:
            told = {"ref": ref, "asked_for": device, "reason": error.reason, "detail": str(error)}
            self.on_refused(self.dev_eui(device), {key: value for key, value in told.items() if value})

    async def place(self, order: Order, source: str, *, needs_ref: bool = False) -> Placed:
        """Queue it: on disk when this returns. Raises OrderRefused."""
        try:
            return await self._place(order, source, needs_ref=needs_ref)
        except OrderRefused as e:
            self.refused[e.reason] += 1
            raise

    async def _place(self, order: Order, source: str, *, needs_ref: bool) -> Placed:
        dev_eui = self.dev_eui(order.device)
        if dev_eui is None:
            raise OrderRefused("unknown_device", f"no LoRaWAN device with a DevEUI is called {order.device!r} here")
        if dev_eui in self._refusals:
            raise OrderRefused(*self._refusals[dev_eui])
        if needs_ref and not order.ref:
            raise OrderRefused("malformed", "`ref` is missing: without it an order that comes twice is sent twice")
        known = self.queue.by_ref(dev_eui, order.ref)
        if known is not None:
            return Placed(known, is_new=False)
        made = await self._payload(dev_eui, order)
        fport = self._fport(order, made)
        if len(made.payload) > self.most_bytes:
            text = f"{len(made.payload)} bytes, and no data rate has room for more than {self.most_bytes}"
            raise OrderRefused("too_long", text)
        known = self.queue.by_ref(dev_eui, order.ref)  # it may have come again while a script encoded it
        if known is not None:
            return Placed(known, is_new=False)
        try:
            item = await self.queue.put(
                dev_eui,
                fport,
                made.payload,
                expires_s=order.expires_s,
                confirmed=order.confirmed,
                priority=order.priority,
                ref=order.ref,
                source=source,
            )
        except QueueFull as e:
            raise OrderRefused("full", str(e)) from None
        if item is None:
            raise OrderRefused("not_stored", NOT_STORED)
        ahead = [q.id for q in self.queue.open(dev_eui)]
        return Placed(item, ahead=ahead.index(item.id) if item.id in ahead else 0, warnings=made.warnings)

    async def _payload(self, dev_eui: str, order: Order) -> Encoded:
        given = [way for way in ("hex", "base64") if getattr(order, way) is not None]
        given += ["json"] if order.json is not msgspec.UNSET else []
        if len(given) != 1:
            raise OrderRefused("malformed", "the payload is needed in one of three ways: hex, base64 or json")
        try:
            if order.hex is not None:
                return Encoded(bytes.fromhex(order.hex))
            if order.base64 is not None:
                return Encoded(base64.b64decode(order.base64, validate=True))
        except (ValueError, binascii.Error):
            raise OrderRefused("payload", f"the payload is not what it is called: {given[0]}") from None
        if self.encode is None:
            raise OrderRefused("encoder", "scripts do not run here: give the bytes")
        return await self.encode(dev_eui, order.json, order.fport)

    def _fport(self, order: Order, made: Encoded) -> int:
        if order.fport is not None and made.fport is not None and order.fport != made.fport:
            raise OrderRefused("fport", f"FPort {order.fport} was asked for, and the script says {made.fport}")
        fport = order.fport if made.fport is None else made.fport
        if fport is None:
            raise OrderRefused("fport", "`fport` is missing: the device's manual says which one it listens to")
        if not 1 <= fport <= MAX_FPORT:
            raise OrderRefused("fport", f"FPort {fport}: applications have 1 to {MAX_FPORT}")
        return fport
