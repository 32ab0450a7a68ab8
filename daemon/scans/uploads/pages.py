"""The calls about uploads on the local socket: tokens of stations."""

from typing import Final

import msgspec
from aiohttp import web

from torhaus.daemon.evidence.who import account_of
from torhaus.daemon.httpd import Route, reply_json
from torhaus.daemon.scans.uploads.access import Token
from torhaus.daemon.scans.uploads.reception import Reception

_NONE: Final = {"error": "no such token, or it was revoked before"}


class NewToken(msgspec.Struct, kw_only=True):
    """The only time that a token's text is seen."""

    token: Token
    text: str


class TokenPages:
    """Answers from the running queue."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception

    def pages(self) -> list[tuple[str, str, Route]]:
        """Method, path, answer."""
        return [
            ("GET", "/scans/tokens", self.listing),
            ("POST", "/scans/tokens", self.add),
            ("DELETE", "/scans/tokens", self.revoke),
        ]

    async def listing(self, request: web.Request) -> web.Response:
        """Of one station or of all."""
        return reply_json(await self._reception.tokens(request.query.get("station")))

    async def add(self, request: web.Request) -> web.Response:
        """A new one of a station."""
        station = request.query.get("station", "")
        try:
            token, text = await self._reception.add_token(station, account_of(request))
        except KeyError:
            return reply_json({"error": f'no [[scan.station]] of type "http" is named {station}'}, 404)
        except ValueError as e:
            return reply_json({"error": str(e)}, 409)
        return reply_json(NewToken(token=token, text=text), 201)

    async def revoke(self, request: web.Request) -> web.Response:
        """Good for nothing from now on."""
        station, token = request.query.get("station", ""), request.query.get("id", "")
        done = await self._reception.revoke_token(station, token, account_of(request))
        return reply_json({"done": True}) if done else reply_json(_NONE, 404)
