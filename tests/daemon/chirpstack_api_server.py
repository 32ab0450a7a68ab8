"""A strict ChirpStack API: gRPC-Web with its own protobuf classes. It knows devices, and one API key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from chirpstack_api.api import device_pb2

from torhaus.codecs.lorawan.keys import KeySet

TOKEN = "an api key"


class ChirpStackApi:
    """`sessions` by DevEUI, None for a device that has not joined. `odd` may answer instead."""

    def __init__(self) -> None:
        self.sessions: dict[str, device_pb2.DeviceActivation | None] = {}
        self.asked: list[str] = []
        self.odd: web.Response | None = None
        self.token = TOKEN
        self.url = ""

    def joined(self, dev_eui: str, dev_addr: int, keys: KeySet, f_cnt_up: int = 0) -> None:
        """A device has a new session."""
        self.sessions[dev_eui] = device_pb2.DeviceActivation(
            dev_eui=dev_eui,
            dev_addr=f"{dev_addr:08x}",
            app_s_key=keys.app_s_key.hex(),
            nwk_s_enc_key=keys.nwk_s_enc_key.hex(),
            s_nwk_s_int_key=keys.s_nwk_s_int_key.hex(),
            f_nwk_s_int_key=keys.f_nwk_s_int_key.hex(),
            f_cnt_up=f_cnt_up,
        )

    @asynccontextmanager
    async def serving(self, tls: Any = None) -> AsyncIterator[None]:
        app = web.Application()
        app.router.add_post("/api.DeviceService/GetActivation", self._answer)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
            await site.start()
            port = runner.addresses[0][1]
            self.url = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
            yield
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        assert request.headers["Content-Type"] == "application/grpc-web+proto"
        body = await request.read()
        assert body[0] == 0
        assert int.from_bytes(body[1:5], "big") == len(body) - 5
        if self.odd is not None:
            odd, self.odd = self.odd, None
            return odd
        if request.headers["Authorization"] != f"Bearer {self.token}":
            return said(b"", 16, "no%20such%20key")
        eui = device_pb2.GetDeviceActivationRequest.FromString(body[5:]).dev_eui
        self.asked.append(eui)
        if eui not in self.sessions:
            return said(b"", 5, "Object does not exist")
        answer = device_pb2.GetDeviceActivationResponse(device_activation=self.sessions[eui])
        return said(answer.SerializeToString())


def said(message: bytes, status: int = 0, words: str = "") -> web.Response:
    """An answer; one that is not OK has its status among the headers."""
    headers = {"Content-Type": "application/grpc-web+proto"}
    if status:
        return web.Response(headers=headers | {"grpc-status": str(status), "grpc-message": words})
    trailers = b"grpc-status:0\r\n"
    body = b"".join(
        flag + len(data).to_bytes(4, "big") + data for flag, data in ((b"\0", message), (b"\x80", trailers))
    )
    return web.Response(body=body, headers=headers)
