"""A real browser: Chromium without a window, spoken to by its DevTools protocol on loopback."""

import asyncio
import base64
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from tests.peers import program

_ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-default-browser-check",
    "--disable-features=Translate,MediaRouter,OptimizationHints", "--mute-audio", "--remote-debugging-port=0",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "about:blank",
)  # fmt: skip


class Page:
    """One tab. `said`: errors of the console, of scripts, of the content policy, and requests that failed."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self.said: list[str] = []
        self.requested: list[str] = []
        self._loaded = asyncio.Event()
        self._answers: dict[int, asyncio.Future[Any]] = {}

    async def listen(self) -> None:
        """Take what the browser says, until it goes."""
        async for message in self._socket:
            self._take(json.loads(message.data))

    def _take(self, got: dict[str, Any]) -> None:
        params = got.get("params", {})
        match got.get("method"):
            case None:
                self._answers.pop(got["id"]).set_result(got)
            case "Page.loadEventFired":
                self._loaded.set()
            case "Network.requestWillBeSent":
                self.requested.append(params["request"]["url"])
            case "Log.entryAdded":
                self.said.append(f"{params['entry']['level']}: {params['entry']['text']}")
            case "Runtime.exceptionThrown":
                self.said.append(f"exception: {params['exceptionDetails'].get('exception', {}).get('description')}")
            case "Runtime.consoleAPICalled":
                self.said.append(f"console: {params['args']}")
            case _:
                pass

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """One command and its result."""
        self._number += 1
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[self._number] = answer
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        got = await answer
        assert "error" not in got, got
        found: dict[str, Any] = got["result"]
        return found

    async def begin(self) -> None:
        """Have it tell what we want to hear."""
        for room in ("Page", "Runtime", "Log", "Network"):
            await self.ask(f"{room}.enable")

    async def look(self, url: str, *, language: str = "de", width: int = 1280, height: int = 900) -> None:
        """Go there, as somebody with that screen and language; returns when it is loaded."""
        await self.ask("Network.setExtraHTTPHeaders", headers={"Accept-Language": language})
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        await self.ask("Emulation.setDeviceMetricsOverride", **metrics)
        self._loaded.clear()
        await self.ask("Page.navigate", url=url)
        await self._loaded.wait()

    async def dark(self, *, on: bool) -> None:
        """The room is dark, or not."""
        features = [{"name": "prefers-color-scheme", "value": "dark" if on else "light"}]
        await self.ask("Emulation.setEmulatedMedia", features=features)

    async def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        got = await self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in got, got
        return got["result"].get("value")

    async def click(self, script: str) -> None:
        """Do something that leads to another page, and wait for that."""
        self._loaded.clear()
        await self.ask("Runtime.evaluate", expression=script)
        await self._loaded.wait()

    async def shot(self, path: Path, *, whole: bool = False) -> None:
        """A picture."""
        got = await self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(got["data"]))  # noqa: ASYNC240 - a test


async def sign_in(page: Page, base: str, name: str, password: str) -> None:
    """As a person does, on torhaus's page."""
    await page.look(f"{base}/sign-in")
    fill = "document.querySelector('[name={}]').value = {!r}"
    await page.run(f"{fill.format('name', name)}; {fill.format('password', password)}")
    await page.click("document.querySelector('main form').requestSubmit()")


@contextlib.asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Page]:
    """A fresh Chromium with one tab."""
    home = folder / "chromium"
    process = await asyncio.create_subprocess_exec(
        program("chromium"), *_ARGUMENTS[:-1], f"--user-data-dir={home}", _ARGUMENTS[-1],
        env={"HOME": str(home), "PATH": "/usr/bin:/bin", "TZ": "Europe/Berlin"},
        stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        async for line in process.stderr:
            _, found, address = line.decode(errors="replace").partition("DevTools listening on ws://")
            if found:
                port = address.partition("/")[0]
                break
        else:
            raise AssertionError("chromium does not start")
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
            drained = group.create_task(process.stderr.read())
            async with session.get(f"http://{port}/json/list") as answer:
                tabs = await answer.json()
            tab = next(t for t in tabs if t["type"] == "page")
            async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=64 << 20) as socket:
                page = Page(socket)
                listening = group.create_task(page.listen())
                try:
                    await page.begin()
                    yield page
                finally:
                    listening.cancel()
                    drained.cancel()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
            os.killpg(process.pid, signal.SIGKILL)  # its children, too
        await process.wait()
