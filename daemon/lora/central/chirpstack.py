"""Asks a ChirpStack server (v4) for a device's session: gRPC-Web, as the server's own page does, over HTTPS.

Messages: torhaus.codecs.framing.chirpstack_api. Token and certificates are read anew when they are needed, so that they
can be renewed while the daemon runs.
"""

import ssl
from http import HTTPStatus
from typing import Final

import aiohttp

from torhaus.codecs.framing import chirpstack_api as api
from torhaus.codecs.framing.grpc_web import CONTENT_TYPE, MAX_BODY, Answer, build_question, parse_answer
from torhaus.codecs.lorawan.keys import Version
from torhaus.codecs.model import DecodeError
from torhaus.daemon.config.lorawan import ChirpStack
from torhaus.drivers.secret import SecretError, read_secret

TIMEOUT_S: Final = 10.0
MAX_TOKEN_BYTES: Final = 16_384
_NOT_FOUND: Final = 5
_DENIED: Final = {7, 16}
"""PERMISSION_DENIED and UNAUTHENTICATED, as gRPC numbers them."""


class Away(Exception):  # noqa: N818 - a state of the far side, not a defect
    """The server cannot be asked at present, whoever the device is. The text says why; it has no token and no key."""


class Refused(Exception):  # noqa: N818 - of one device
    """It says nothing that can be used of this device. The text says why."""


class Client:
    """One server. `close` it in the end."""

    def __init__(self, config: ChirpStack) -> None:
        self._config = config
        self._session: aiohttp.ClientSession | None = None

    async def activation(self, dev_eui: str, version: Version) -> api.Activation | None:
        """The device's session; None where it has none. Raises Away or Refused."""
        try:
            answer = await self._ask(api.GET_ACTIVATION, api.build_request(dev_eui))
        except SecretError as e:
            raise Away(str(e)) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as e:
            await self.close()  # certificates are read anew with the next question
            raise Away(str(e) or type(e).__name__) from None
        if answer.status in _DENIED:
            raise Away(f"it does not allow that: {answer.words or 'no reason given'} (is the API key right?)")
        if answer.status == _NOT_FOUND:
            raise Refused("the server does not know this DevEUI")
        if answer.status:
            raise Away(f"it says: {answer.words or 'no reason given'} (gRPC status {answer.status})")
        try:
            return api.parse_response(answer.message, dev_eui, version)
        except DecodeError as e:
            raise Refused(e.detail) from None

    async def close(self) -> None:
        """Let go of its connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _ask(self, method: str, message: bytes) -> Answer:
        headers = {
            "Content-Type": CONTENT_TYPE,
            "Accept": CONTENT_TYPE,
            "X-Grpc-Web": "1",
            "Authorization": f"Bearer {read_secret(self._config.token_file, limit=MAX_TOKEN_BYTES)}",
        }
        if self._session is None:
            self._session = self._open()
        url = f"{self._config.url.rstrip('/')}{method}"
        question = self._session.post(url, data=build_question(message), headers=headers, allow_redirects=False)
        async with question as reply:
            if reply.status != HTTPStatus.OK:
                raise Away(f"HTTP status {reply.status}: is this the address of its page?")
            body = b""
            async for chunk in reply.content.iter_chunked(MAX_BODY):
                body += chunk
                if len(body) > MAX_BODY:
                    raise Away("its answer is too long")
            said = {name.lower(): value for name, value in reply.headers.items()}
        try:
            return parse_answer(body, said)
        except DecodeError as e:
            raise Away(f"its answer is no gRPC-Web: {e.detail}") from None

    def _open(self) -> aiohttp.ClientSession:
        context: ssl.SSLContext | bool = True
        if self._config.url.startswith("https:"):
            try:
                context = ssl.create_default_context(cafile=self._config.ca_file)
            except (OSError, ssl.SSLError) as e:
                raise Away(f"ca_file cannot be used: {e.strerror or e}") from None
            context.minimum_version = ssl.TLSVersion.TLSv1_2
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context), timeout=timeout)
