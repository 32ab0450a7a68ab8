"""The calls about uploads on the local socket: tokens of stations, heads of sites."""

from typing import Final

import msgspec
from aiohttp import web

from torhaus.daemon.evidence.who import account_of
from torhaus.daemon.httpd import Route, reply_json
from torhaus.daemon.scans.uploads.access import Token
from torhaus.daemon.scans.uploads.heads import Head
from torhaus.daemon.scans.uploads.reception import Reception

_NONE: Final = {"error": "no such token, or it was revoked before"}


class NewToken(msgspec.Struct, kw_only=True):
    """The only time that a token's text is seen."""

    token: Token
    text: str


class Heads(msgspec.Struct, kw_only=True):
    """What is known of a site's journal: its stores, and heads of the one that was asked for, or of the only one."""

    stores: list[str]
    heads: list[Head]


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
            ("GET", "/scans/heads", self.heads),
        ]

    async def listing(self, request: web.Request) -> web.Response:
        """Of one station or of all."""
        return reply_json(await self._reception.tokens(request.query.get("station")))

    async def heads(self, request: web.Request) -> web.Response:
        """Of a station of type "site"."""
        station, store = request.query.get("station", ""), request.query.get("store", "")
        after = request.query.get("after", "0")
        if not (after.isascii() and after.isdigit() and len(after) <= 18):
            return reply_json({"error": "after: a number"}, 400)
        found = await self._reception.heads(station, store, int(after))
        if found is None:
            return reply_json({"error": f'no [[scan.station]] of type "site" is named {station}'}, 404)
        return reply_json(Heads(stores=found[0], heads=found[1]))

    async def add(self, request: web.Request) -> web.Response:
        """A new one of a station."""
        station = request.query.get("station", "")
        try:
            token, text = await self._reception.add_token(station, account_of(request))
        except KeyError:
            return reply_json({"error": f'no [[scan.station]] of type "http" or "site" is named {station}'}, 404)
        except ValueError as e:
            return reply_json({"error": str(e)}, 409)
        return reply_json(NewToken(token=token, text=text), 201)

    async def revoke(self, request: web.Request) -> web.Response:
        """Good for nothing from now on."""
        station, token = request.query.get("station", ""), request.query.get("id", "")
        done = await self._reception.revoke_token(station, token, account_of(request))
        return reply_json({"done": True}) if done else reply_json(_NONE, 404)
