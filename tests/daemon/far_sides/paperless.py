"""A strict Paperless-ngx of version 2 or 3: documents become visible after their task was asked for a few times."""

import hashlib
from typing import Any

from aiohttp import web

from tests.daemon.far_sides.manners import FarSide
from torhaus.daemon.scans.targets.paperless import Config

TOKEN = "0123456789abcdef"


class PaperlessServer(FarSide):
    def __init__(self, version: int = 3, **more: Any) -> None:
        super().__init__(**more)
        self.version = version
        self.tasks: dict[str, dict[str, Any]] = {}
        self.made: dict[int, tuple[str, bytes]] = {}
        self.numbers = 0
        self.forms: list[dict[str, list[str]]] = []
        self.polls = 1  # so often a task is said to be under way

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/api/documents/post_document/", self._post),
            web.get("/api/tasks/", self._tasks),
            web.get("/api/documents/", self._search),
            web.get("/api/documents/{id}/metadata/", self._metadata),
            web.get("/api/documents/{id}/download/", self._download),
        ]

    def hands_over(self, request: web.Request) -> bool:
        return request.method == "POST"

    def config(self, root: Any, **more: Any) -> Config:
        path = root / "paperless.token"
        path.touch(mode=0o600)
        path.write_text(TOKEN, encoding="ascii")
        more.setdefault("settle_s", 20.0)
        return Config("paperless", self.url, token_file=str(path), tags=(7, 12), title="{name}", **more)

    def keep_only(self, good: set[bytes]) -> None:
        self._work_off()
        self.made = {key: made for key, made in self.made.items() if made[1] in good}

    def documents(self) -> list[bytes]:
        self._work_off()
        return [data for _, data in self.made.values()]

    def _check(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Token {TOKEN}":
            raise web.HTTPUnauthorized

    async def _post(self, request: web.Request) -> web.Response:
        self._check(request)
        form = await request.post()
        file = form["document"]
        assert isinstance(file, web.FileField)
        self.forms.append({key: [str(v) for v in form.getall(key)] for key in form if key != "document"})
        kept = self.harmed(request, file.file.read())
        task = f"task-{len(self.tasks)}"
        self.tasks[task] = {"polls": self.polls, "name": file.filename, "data": kept}
        return web.json_response(task)

    def _consume(self, task: dict[str, Any]) -> None:
        if "status" in task:
            return
        data = task["data"]
        old = next((n for n, (_, have) in self.made.items() if have == data), None)
        if data is None:
            task |= {"status": "FAILURE", "result": "File not found"}
        elif old is not None and self.version == 2:
            task |= {"status": "FAILURE", "result": f"Not consuming: It is a duplicate of x (#{old})"}
        else:
            self.numbers += 1
            number = self.numbers
            if task["name"] in {name for name, _ in self.made.values()}:
                self.fault("sent twice")
            self.made[number] = (task["name"], data)
            task |= {"status": "SUCCESS", "result": f"Success. New document id {number} created", "document": number}

    def _work_off(self) -> None:
        for task in self.tasks.values():
            self._consume(task)

    async def _tasks(self, request: web.Request) -> web.Response:
        self._check(request)
        task = self.tasks.get(request.query["task_id"])
        if task is None:
            return web.json_response([] if self.version == 2 else {"results": []})
        if task["polls"] > 0:
            task["polls"] -= 1
            told: dict[str, Any] = {"status": "STARTED"}
        else:
            self._consume(task)
            told = {"status": task["status"], "result": task["result"]}
            if self.version == 2:
                told["related_document"] = str(task["document"]) if "document" in task else None
        if self.version == 2:
            return web.json_response([told])
        return web.json_response({"results": [told | {"status": told["status"].lower()}]})

    async def _search(self, request: web.Request) -> web.Response:
        self._check(request)
        for task in self.tasks.values():
            task["polls"] -= 1
            if task["polls"] <= 0:
                self._consume(task)
        wanted = request.query.get("original_filename__iexact", "").lower()
        rows = [{"id": n, "original_file_name": name} for n, (name, _) in self.made.items() if name.lower() == wanted]
        return web.json_response({"count": len(rows), "results": rows}, headers={"X-Version": f"{self.version}.1"})

    async def _metadata(self, request: web.Request) -> web.Response:
        self._check(request)
        data = self._data(request)
        digest = hashlib.md5(data, usedforsecurity=False) if self.version == 2 else hashlib.sha256(data)
        return web.json_response({"original_checksum": digest.hexdigest()})

    async def _download(self, request: web.Request) -> web.Response:
        self._check(request)
        if request.query.get("original") != "true":
            self.fault("asked for the archived version")
        return web.Response(body=self._data(request))

    def _data(self, request: web.Request) -> bytes:
        made = self.made.get(int(request.match_info["id"]))
        if made is None:
            raise web.HTTPNotFound
        return made[1]
