"""A site that is looked at in a browser: its daemon runs, somebody may sign in, and names are as bad as they can be."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import aiohttp

from tests.daemon.home import METER, Home, archive, frame, running, sender, stamp, until
from torhaus.codecs.model import Frame, Radio, Reception, RejectReason, Value
from torhaus.daemon.app import App
from torhaus.daemon.lora.join_book import JoinResult
from torhaus.daemon.outbox.flush import Flush, SetAside
from torhaus.daemon.outbox.record import Record, Stored
from torhaus.daemon.outbox.store import MAIN, STRANGERS
from torhaus.daemon.page.users import Role, User, hashed, write_users
from torhaus.daemon.scans.queue import ScanQueue
from torhaus.drivers.base import GatewaySeen

PASSWORD: Final = "correct horse battery"
EVIL: Final = "<img src=x onerror=alert(1)>\"'&"
CHEAP: Final = (1 << 4, 1, 1)  # the cost of hashes in tests
GATEWAY: Final = "aa555a0000000101"
_VOID: Final = {"br", "hr", "img", "input", "link", "meta"}
_BLOCKS: Final = {"p", "div", "ul", "dl", "table", "section", "form", "h1", "h2", "h3", "pre"}
_INSIDE: Final = {
    "li": {"ul", "ol"}, "tr": {"thead", "tbody", "template"}, "td": {"tr"}, "th": {"tr"}, "dt": {"dl"}, "dd": {"dl"},
    "option": {"select", "datalist"}, "thead": {"table"}, "tbody": {"table"},
}  # fmt: skip


class Checker(HTMLParser):
    """Well-formed HTML as this page writes it: everything closed, in its place, no attribute twice, no id twice."""

    def __init__(self, start: str = "") -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = [start] if start else []
        self.ids: set[str] = set()
        self.tags: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), (tag, names)
        assert not any(name.startswith("on") or name == "style" for name in names), (tag, attrs)
        parent = self.open[-1] if self.open else ""
        assert parent in _INSIDE.get(tag, {parent}), (tag, self.open)
        assert not ("p" in self.open and tag in _BLOCKS), (tag, self.open)
        assert not (tag in {"form", "a", "button"} and tag in self.open), (tag, self.open)
        found = dict(attrs)
        if "id" in found:
            assert found["id"] not in self.ids
            self.ids.add(str(found["id"]))
        if tag == "a":
            self.links.append(str(found["href"]))
        self.tags.add(tag)
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1] == tag, (tag, self.open)
        self.open.pop()


def checked(text: str, start: str = "") -> Checker:
    """The text, if it is good HTML without a script, a style or a handler of its own."""
    checker = Checker(start)
    checker.feed(text)
    checker.close()
    assert checker.open == ([start] if start else [])
    assert re.search(r'<img(?! src="/scans\?id=)', text) is None  # our own pictures of pages, and no others
    return checker


class Visitor:
    """Somebody with a browser, but for its window."""

    def __init__(self, app: App, session: aiohttp.ClientSession, base: str) -> None:
        self.app = app
        self.session = session
        self.base = base

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        answer, text = await self.answer(path, **headers)
        return answer.status, text

    async def answer(self, path: str, method: str = "GET", **headers: str) -> tuple[aiohttp.ClientResponse, str]:
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.request(method, self.base + path, headers=more, allow_redirects=False) as answer:
            return answer, await answer.text()

    async def post(self, path: str, headers: Mapping[str, str] | None = None, /, **form: str) -> aiohttp.ClientResponse:
        async with self.session.post(self.base + path, data=form, headers=headers, allow_redirects=False) as answer:
            await answer.read()
            return answer

    async def csrf(self, path: str = "/sign-in") -> str:
        """The token that forms of a page have."""
        found = re.search(r'name="csrf" value="([^"]+)"', (await self.get(path))[1])
        assert found is not None
        return found[1]

    async def sign_in(self, name: str = "technik", password: str = PASSWORD) -> aiohttp.ClientResponse:
        return await self.post("/sign-in", csrf=await self.csrf(), name=name, password=password)

    async def do(self, path: str, **form: str) -> aiohttp.ClientResponse:
        """Send a form with the token of the session."""
        return await self.post(path, csrf=await self.csrf("/"), **form)


def home_of(folder: Path, more: str = "", http: str = "") -> Home:
    """A meter, a device with the worst of names and one with a script; three people who may sign in."""
    devices = METER
    devices += f'[[device]]\nname = {EVIL!r}\ndev_eui = "a81758fffe0312ab"\ncodec = "elsys"\ninterval_s = 60\n'.replace(
        repr(EVIL), '"' + EVIL.replace('"', '\\"') + '"'
    )
    devices += '[[device]]\nname = "hupe"\ndev_eui = "a81758fffe0312ad"\ncodec = "horn.js"\nplace = "Bauhof"\n'
    home = Home(folder, devices=devices)
    (folder / "decoders").mkdir(exist_ok=True)
    (folder / "decoders" / "horn.js").write_text("function decodeUplink(i) { return {data: {level: i.bytes[0]}}; }\n")
    home.write(archive(folder) + more)
    text = home.config.read_text().replace("[http]\n", f"[http]\n{http}")
    home.config.write_text(text)
    people = {"technik": Role.ADMIN, "poststelle": Role.OPERATE, "gast": Role.VIEW}
    kept = hashed(PASSWORD, cost=CHEAP)
    write_users(folder / "page.users.toml", {name: User(name, role, kept) for name, role in people.items()})
    return home


@asynccontextmanager
async def visited(home: Home, *, base: str = "http://127.0.0.1:{}") -> AsyncIterator[Visitor]:
    """The site while it runs, with one meter's reading, and somebody who looks at it."""
    app = home.app({"x": sender([frame()])})
    jar = aiohttp.CookieJar(unsafe=True)
    async with running(app), aiohttp.ClientSession(cookie_jar=jar) as session:
        await until(lambda: app.watch.committed_records)
        yield Visitor(app, session, base.format(app.http_port))


async def opened_queue(visitor: Visitor) -> ScanQueue:
    """The site's queue of documents, once it is open."""
    room = visitor.app._scans
    assert room is not None
    await until(lambda: room.queue.is_open)
    return room.queue


def lorawan(device: str | None, dev_eui: str | None, fields: dict[str, Value] | None, **more: Any) -> Record:
    """The record of a LoRaWAN uplink."""
    from torhaus.daemon.outbox.record import Lora

    lora = Lora(
        868_100_000, "LORA", "SF7BW125", dr=5, fcnt=4711, fport=5, rx=[Reception(GATEWAY, rssi_dbm=-97.0, snr_db=7.5)]
    )
    kind: Any = "reading" if fields is not None else "frame"
    raw = bytes.fromhex("40ab120326000700056b8e3e5a1f0102aabbccdd")
    return Record(kind, "radio", device, dev_eui, "elsys", fields, lora=lora, raw=raw, **more)


async def put(app: App, log: str, *records: Record) -> None:
    """Have records on disk."""
    tail = app.outbox.logs[log].tail
    app.outbox.put(log, [(stamp(app.clock.wall_ns()), r) for r in records], 1000)
    app.outbox.commit(None)
    await until(lambda: app.outbox.logs[log].tail == tail + len(records))


async def spoil(app: App) -> None:
    """Everything that outsiders can name is called the worst there is, and a good deal is wrong."""
    fields = {EVIL: Value(EVIL, EVIL), "temperature": Value(21.4, "Cel"), "battery_voltage": Value(3.6, "V")}
    await put(app, MAIN, lorawan(EVIL, "a81758fffe0312ab", fields))
    refused = lorawan(None, None, None, reason="mic", detail=EVIL)
    await put(app, STRANGERS, refused, Record("frame", EVIL, reason=EVIL, detail=EVIL, raw=b"<b>"))
    watch = app.watch
    watch.event("radio", GatewaySeen(GATEWAY, EVIL, EVIL, True, True))
    watch.event("radio", GatewaySeen("00000000000000ff", EVIL, EVIL, False, False))
    radio = Radio(868_100_000, "LORA", "SF7BW125", rx=[Reception(GATEWAY, crc=-1)])
    watch.driver("radio")
    watch.heard("radio", [Frame("radio", b"\x40", app.clock.stamp(), radio)])
    watch.driver("radio").silent = {EVIL: EVIL}
    watch.gone("driver radio", EVIL)
    watch.gone(EVIL, EVIL)
    watch.rejected("radio", "elsys", RejectReason.MIC)
    watch.dropped("main", EVIL, 3, "size")
    watch.defects[EVIL] = 2
    note = app.joining.book.note
    for result in (JoinResult.WRONG_KEY, JoinResult.NONCE_USED):
        note(result, "a81758fffe0312ab", device=EVIL if result is JoinResult.WRONG_KEY else "hupe", join_eui=EVIL)
    note(JoinResult.UNKNOWN_DEVICE, EVIL, join_eui=EVIL, gateway=EVIL)
    stored = next(r for r in await app.outbox.read(MAIN, app.outbox.logs[MAIN].tail - 1, 1) if isinstance(r, Stored))
    dead = {("archive", MAIN): [SetAside(stored.pos, 1, 0, EVIL, stored)]}
    await app.outbox.on_state(lambda state: state.save(Flush(dead=dead, at_ns=app.clock.wall_ns())))
    await app._count_dead_letters()
