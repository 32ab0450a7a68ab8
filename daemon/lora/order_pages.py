"""The control socket's calls for `torhaus lora send`, `queue` and `cancel`."""

import msgspec
from aiohttp import web

from torhaus.daemon.httpd import Route, reply_json
from torhaus.daemon.lora.orders import OrderRefused, Orders
from torhaus.daemon.outbox.queued import Queued

_STATUS = {"unknown_device": 404, "full": 409, "passive": 409, "no_keys": 409, "not_stored": 503}


class Shown(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One downlink for people: `state` is its place in the queue, or how it ended; `left_s` until it expires."""

    id: str
    device: str
    dev_eui: str
    state: str
    fport: int
    payload: str  # hexadecimal
    at_ns: int
    confirmed: bool = False
    priority: int = 0
    ref: str = ""
    source: str = ""
    tries: int = 0
    fcnt: int | None = None
    why: str = ""
    left_s: float | None = None
    is_new: bool = True  # False: its ref was known, and it was not queued again
    ahead: int = 0  # when it was queued: how many went before it
    warnings: list[str] = []


class OrderPages:
    """The answers."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    def routes(self) -> list[tuple[str, str, Route]]:
        """For the control socket."""
        return [
            ("GET", "/lora/downlinks", self.all),
            ("POST", "/lora/downlinks", self.send),
            ("GET", "/lora/downlinks/{id:[0-9a-f]{12}}", self.one),
            ("DELETE", "/lora/downlinks/{id:[0-9a-f]{12}}", self.cancel),
        ]

    async def send(self, request: web.Request) -> web.StreamResponse:
        """Queue the Order of the body: a Shown. 4xx and 503 with `error` in words and `reason`."""
        try:
            placed = await self._orders.place(self._orders.parse(await request.read()), "local")
        except OrderRefused as e:
            return reply_json({"error": str(e), "reason": e.reason}, _STATUS.get(e.reason, 400))
        found = self._shown(placed.item)
        found.is_new, found.ahead, found.warnings = placed.is_new, placed.ahead, placed.warnings
        return reply_json(found)

    async def all(self, request: web.Request) -> web.StreamResponse:
        """What waits, in the order in which it goes, as an array of Shown; with `all=1` what is done with before it."""
        dev_eui = None
        if "device" in request.query:
            dev_eui = self._orders.dev_eui(request.query["device"])
            if dev_eui is None:
                return reply_json({"error": "no LoRaWAN device with a DevEUI has this name"}, 404)
        queue = self._orders.queue
        past = queue.recent(dev_eui) if request.query.get("all") == "1" else []
        return reply_json([self._shown(q) for q in (*past, *queue.open(dev_eui))])

    async def one(self, request: web.Request) -> web.StreamResponse:
        """One of them."""
        item = self._orders.queue.find(request.match_info["id"])
        return reply_json({"error": "no such downlink"}, 404) if item is None else reply_json(self._shown(item))

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        """Take one out of the queue. 409 when that cannot be any more."""
        id_ = request.match_info["id"]
        try:
            why = await self._orders.queue.cancel(id_)
        except KeyError:
            return reply_json({"error": "no such downlink"}, 404)
        return reply_json({"id": id_}) if why is None else reply_json({"error": why}, 409)

    def _shown(self, item: Queued) -> Shown:
        left_s = None if item.place == "done" else round(self._orders.queue.left_s(item), 1)
        return shown(item, self._orders.name(item.dev_eui) or "", left_s)


def shown(item: Queued, device: str, left_s: float | None = None) -> Shown:
    """For people."""
    return Shown(
        id=item.id,
        device=device,
        dev_eui=item.dev_eui,
        state=item.outcome or item.place,
        fport=item.fport,
        payload=item.payload.hex(),
        at_ns=item.at.wall_ns,
        confirmed=item.confirmed,
        priority=item.priority,
        ref=item.ref,
        source=item.source,
        tries=item.tries,
        fcnt=item.fcnt,
        why=item.why,
        left_s=left_s,
    )
