"""A strict DMS app: links are its own and change with each start, writing needs Origin, and nothing is found twice."""

import json
import os
from typing import Any
from urllib.parse import quote

from aiohttp import web

from tests.daemon.far_sides.manners import FarSide
from torhaus.daemon.scans.targets.dvelop import Config

REPOSITORY = "7f3c1c9e-3d0b-4f8e-9a53-0c0c0a3f2a91"
TOKEN = "api-key"


class DvelopServer(FarSide):
    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.salt = os.urandom(4).hex()
        self.blobs: dict[str, bytes] = {}
        self.objects: dict[str, dict[str, Any]] = {}
        self.made = self.chunks = 0
        self.hidden = 0  # so many searches do not know the newest object yet
        self.links_elsewhere = False

    def routes(self) -> list[web.RouteDef]:
        repository, salt = f"/dms/r/{REPOSITORY}", self.salt
        return [
            web.get("/dms", self._root),
            web.get(repository, self._repository),
            web.post(f"{repository}/{salt}/chunk/", self._chunk),
            web.get(f"{repository}/{salt}/srm", self._search),
            web.post(f"{repository}/{salt}/o2m/", self._make),
            web.get(f"{repository}/{salt}/o2m/{{id}}", self._object),
            web.get(f"{repository}/{salt}/content/{{id}}", self._content),
        ]

    def hands_over(self, request: web.Request) -> bool:
        return request.method == "POST"

    def config(self, root: Any, **more: Any) -> Config:
        path = root / "dvelop.token"
        path.touch(mode=0o600)
        path.write_text(TOKEN, encoding="ascii")
        properties = {"betreff": "{name}", "stelle": "{station}"}
        return Config(
            "dvelop", self.url, token_file=str(path), repository=REPOSITORY, source_category="post",
            id_property="torhausId", properties=properties, **more,
        )  # fmt: skip

    def keep_only(self, good: set[bytes]) -> None:
        self.objects = {key: made for key, made in self.objects.items() if made["content"] in good}

    def documents(self) -> list[bytes]:
        return [made["content"] for made in self.objects.values()]

    def _check(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise web.HTTPUnauthorized
        if request.method != "GET" and request.headers.get("Origin") != self.url:
            self.fault("no Origin")
            raise web.HTTPForbidden

    async def _root(self, request: web.Request) -> web.Response:
        self._check(request)
        return _hal({"repo": {"href": "/dms/r/{repositoryid}", "templated": True}})

    async def _repository(self, request: web.Request) -> web.Response:
        self._check(request)
        base = f"/dms/r/{REPOSITORY}/{self.salt}"
        if self.links_elsewhere:
            base = f"https://elsewhere.example{base}"
        return _hal({
            "chunkedupload": {"href": f"{base}/chunk/"},
            "searchresultwithmapping": {"href": base + "/srm{?sourceid,sourceproperties,sourcecategories,pagesize}"},
            "dmsobjectwithmapping": {"href": base + "/o2m/{dmsobjectid}{?sourceid}"},
        })  # fmt: skip

    async def _chunk(self, request: web.Request) -> web.Response:
        self._check(request)
        body = await request.read()
        if request.content_type != "application/octet-stream":
            self.fault("content type of a chunk")
        self.chunks += 1
        place = f"/dms/r/{REPOSITORY}/{self.salt}/chunk/{self.chunks}"
        kept = self.harmed(request, body)
        if kept is not None:
            self.blobs[place] = kept
        return web.Response(status=201, headers={"Location": place})

    async def _make(self, request: web.Request) -> web.Response:
        self._check(request)
        body = json.loads(await request.read())
        if request.query.get("sourceid") != body["sourceId"] or body["sourceId"] != f"/dms/r/{REPOSITORY}/source":
            self.fault("source")
        content = self.blobs.pop(body["contentLocationUri"], None)
        if content is None:
            return web.json_response({"reason": "no such blob"}, status=400)
        properties = {p["key"]: p["values"] for p in body["sourceProperties"]["properties"]}
        if len({json.dumps(o["properties"]["torhausId"]) for o in self.objects.values()} - {None}) != len(self.objects):
            self.fault("two objects with one id")
        self.made += 1
        object_id = f"P{self.made:06}"
        kept = self.harmed(request, content)
        if kept is not None:
            made = {"properties": properties, "content": kept, "filename": body["filename"]}
            self.objects[object_id] = made
        where = f"/dms/r/{REPOSITORY}/{self.salt}/o2m/{object_id}?sourceid={quote(body['sourceId'], safe='')}"
        return web.Response(status=201, headers={"Location": where})

    async def _search(self, request: web.Request) -> web.Response:
        self._check(request)
        wanted = json.loads(request.query.get("sourceproperties", "{}"))
        objects = self.objects
        if self.hidden and objects:
            self.hidden -= 1
            objects = dict(list(objects.items())[:-1])
        found = [
            {"id": object_id, "sourceProperties": _properties(made)}
            for object_id, made in objects.items()
            if all(made["properties"].get(key) == values for key, values in wanted.items())
        ]
        return web.json_response({"items": found, "page": 1})

    async def _object(self, request: web.Request) -> web.Response:
        self._check(request)
        object_id = request.match_info["id"]
        if object_id not in self.objects:
            return web.Response(status=404)
        content = {"href": f"/dms/r/{REPOSITORY}/{self.salt}/content/{object_id}"}
        return web.json_response({"id": object_id, "_links": {"mainblobcontent": content}})

    async def _content(self, request: web.Request) -> web.Response:
        self._check(request)
        return web.Response(body=self.objects[request.match_info["id"]]["content"])


def _hal(links: dict[str, Any]) -> web.Response:
    return web.json_response({"_links": links})


def _properties(made: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": values[0], "isMultiValue": False} for key, values in made["properties"].items()]
