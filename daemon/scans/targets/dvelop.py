"""Delivery to d.velop documents (the DMS app of d.velop cloud, and of d.3 on a site's own servers).

Links are followed, never built: /dms → repo → chunkedupload, searchresultwithmapping, dmsobjectwithmapping. The bytes
go up first, then POST o2m makes the object of them with the properties that the mapping of `source_category` knows; one
of them, `id_property`, holds our id. Before an object is made it is looked for by that id, so that a repeat makes no
second one. The DMS keeps no hash that could be asked for: proof is the main file, read back. Its object's id is what
"filed" means. Every writing request needs `Origin`, or the answer is 403.

Source: d.velop, DMSApp API 2.15.0 (help.d-velop.de); d-velop/dvelop-sdk-node, packages/dms.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from torhaus.daemon.scans.names import safe_name
from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.stations import AbsPath
from torhaus.daemon.scans.targets.address import last_of, origin_of
from torhaus.daemon.scans.targets.answers import MISSING, refusal
from torhaus.daemon.scans.targets.base import Context, NotNow, Parcel, Proof, Receipt, Refused, TargetDown
from torhaus.daemon.scans.targets.fill import fill, placeholder_fault
from torhaus.daemon.scans.targets.hal import Linked, follow
from torhaus.daemon.scans.targets.settling import Posted, keep, way_of
from torhaus.daemon.scans.targets.web import Web, WebConfig, after_s, json_of, token

T = TypeVar("T")
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]

HAL: Final = {"Accept": "application/hal+json, application/json"}
STEP_S: Final = 10.0
"""How often what may not be found yet is looked for."""
_OBJECT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


class Config(WebConfig, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="type", tag="dvelop"):
    """One category of one repository. `url` is the system's, without a path: https://stadt.d-velop.cloud."""

    token_file: AbsPath  # an API key of the user in whose name documents are filed
    repository: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]{1,64}\Z")]
    source_category: Text  # as the mapping in d.velop calls it
    id_property: Text  # the source property that holds our id; mapped to a field of its own
    source_id: Text | None = None  # not set: the repository itself, /dms/r/<repository>/source
    properties: dict[Text, str] = msgspec.field(default_factory=dict)  # key to text: {id} {name} {station}
    settle_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 60.0  # until the search knows a new object

    def __post_init__(self) -> None:
        """Raises ValueError that names the key."""
        super().__post_init__()
        if urlsplit(self.url).path.strip("/"):
            raise ValueError("url must be the system's alone, without a path: links are followed from /dms")
        for text in self.properties.values():
            fault = placeholder_fault(text)
            if fault is not None:
                raise ValueError(f"properties {fault}")
        if self.id_property in self.properties:
            raise ValueError("id_property is also in properties: its value is our id")


class Way(Posted):
    """How far a document came: kept, so that a crash makes no second object."""

    object_id: str | None = None


class Property(msgspec.Struct, frozen=True):
    """A value of an object."""

    key: str
    value: str | None = None


class Item(Linked, frozen=True):
    """An object as the search lists it, or by itself."""

    id: str = ""
    properties: list[Property] = msgspec.field(default=[], name="sourceProperties")


class Found(msgspec.Struct, frozen=True):
    """A page of a search's results."""

    items: list[Item] = []


def open_target(config: Config, context: Context) -> "Dvelop":
    """The target; touches nothing until it is used."""
    return Dvelop(config, context)


class Dvelop:
    """One repository and category."""

    proves = Proof.FILED

    def __init__(self, config: Config, context: Context) -> None:
        self._config = config
        self._clock = context.clock
        self._web = Web(config, context, self._credentials)
        self._base = f"{config.url.rstrip('/')}/"
        self._source = config.source_id or f"/dms/r/{config.repository}/source"
        self._repository: Linked | None = None

    def _credentials(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {token(self._config.token_file)}"}

    async def send(self, parcel: Parcel) -> Receipt:
        """Find the object, or upload the bytes and make it. Never has a hash: `stored` reads back."""
        way = way_of(parcel, Way)
        object_id = way.object_id or await self._search(parcel)
        found = None if object_id is None else await self._read_back(object_id, parcel)
        if found not in {None, parcel.sha256}:
            raise Refused(f"object {object_id} has our id and other content", Reason.CONFLICT)
        if object_id is None or found is None:  # also when a person has removed what was wrong there
            way.let_settle(self._clock, self._config.settle_s, STEP_S)
            object_id = await self._make(parcel, await self._upload(parcel))
        await keep(parcel, self._way_now(object_id))
        return Receipt(None, "filed", object_id)

    def _way_now(self, object_id: str | None = None) -> Way:
        way = Way(object_id=object_id)
        way.now(self._clock)
        return way

    async def _search(self, parcel: Parcel) -> str | None:
        """The object that has our id. Refused when there are several: a person has to look."""
        wanted = {self._config.id_property: [parcel.id]}
        url = await self._link("searchresultwithmapping", sourceid=self._source, sourceproperties=wanted, pagesize=10)
        found = await self._get(url, Found, "search")
        ids = {item.id for item in found.items if self._is_ours(item, parcel)}
        if len(ids) > 1:
            raise Refused(f"{len(ids)} objects have our id", Reason.CONFLICT)
        return next(iter(ids), None)

    def _is_ours(self, item: Item, parcel: Parcel) -> bool:
        """A search may find more than what is exactly equal; what shows no such property is believed."""
        said = {p.value for p in item.properties if p.key == self._config.id_property}
        return bool(_OBJECT_ID.match(item.id)) and said <= {parcel.id}

    async def _upload(self, parcel: Parcel) -> str:
        """The bytes, as one chunk. Where they lie until the object is made."""
        url = await self._link("chunkedupload")
        headers = HAL | {"Content-Type": "application/octet-stream", "Origin": origin_of(self._base)}
        body = self._web.file(parcel.path, parcel.size_bytes)
        async with self._web.ask("POST", url, headers, body, parcel.size_bytes) as reply:
            if reply.status != 201:
                raise refusal(reply.status, after_s(reply), where="upload")
            location = reply.headers.get("Location", "")
        if not location or not location.isprintable():
            raise TargetDown("upload: no Location in the answer")
        return location

    async def _make(self, parcel: Parcel, content: str) -> str:
        """POST o2m. From here on an object may be there."""
        values = {key: [fill(text, parcel)] for key, text in self._config.properties.items()}
        values[self._config.id_property] = [parcel.id]
        body = {
            "filename": safe_name(parcel.name),
            "sourceId": self._source,
            "sourceCategory": self._config.source_category,
            "sourceProperties": {"properties": [{"key": k, "values": v} for k, v in values.items()]},
            "contentLocationUri": content,
        }
        url = await self._link("dmsobjectwithmapping", sourceid=self._source)
        headers = HAL | {"Content-Type": "application/hal+json", "Origin": origin_of(self._base)}
        await keep(parcel, self._way_now())
        async with self._web.ask("POST", url, headers, msgspec.json.encode(body)) as reply:
            if reply.status != 201:
                if 400 <= reply.status < 500:
                    await keep(parcel, Way())  # nothing was made
                # a 400 may mean that the uploaded bytes got lost, or that the mapping is not right yet
                raise refusal(reply.status, after_s(reply), reading=True, where="filing")
            object_id = last_of(reply.headers.get("Location", ""))
        if not _OBJECT_ID.match(object_id):
            raise NotNow("filing: no object id in the answer", after_s=self._config.settle_s)
        return object_id

    async def stored(self, parcel: Parcel) -> str | None:
        """SHA-256 of the object's main file."""
        way = way_of(parcel, Way)
        object_id = way.object_id or await self._search(parcel)
        found = None if object_id is None else await self._read_back(object_id, parcel)
        if found is None:
            way.let_settle(self._clock, self._config.settle_s, STEP_S)
        return found

    async def _read_back(self, object_id: str, parcel: Parcel) -> str | None:
        url = await self._link("dmsobjectwithmapping", dmsobjectid=object_id, sourceid=self._source)
        try:
            item = await self._get(url, Item, "reading back")
        except _Missing:
            return None
        link = item.link("mainblobcontent")
        if link is None:
            return None
        content = self._followed(link, {})
        return await self._web.digest(content, parcel.size_bytes, {"Accept": "application/octet-stream"})

    async def probe(self) -> str:
        """The links that are needed are there, and the search answers."""
        self._repository = None
        for name in ("chunkedupload", "dmsobjectwithmapping"):
            await self._link(name)
        url = await self._link("searchresultwithmapping", sourceid=self._source, pagesize=1)
        await self._get(url, Found, "search")
        return f"repository {self._config.repository} is there and can be searched"

    async def close(self) -> None:
        """Let go of connections, and of the links."""
        self._repository = None
        await self._web.close()

    async def _link(self, name: str, **values: object) -> str:
        """A link of the repository, from the system's root on."""
        repository = self._repository
        if repository is None:
            root = await self._get(f"{self._base}dms", Linked, "/dms")
            url = self._named(root, "repo", {"repositoryid": self._config.repository})
            try:
                repository = self._repository = await self._get(url, Linked, "repository")
            except _Missing:
                raise TargetDown(f"there is no repository {self._config.repository}") from None
        return self._named(repository, name, values)

    def _named(self, linked: Linked, name: str, values: Mapping[str, object]) -> str:
        link = linked.link(name)
        if link is None:
            raise TargetDown(f"no link {name}: may this user file documents?")
        return self._followed(link, values)

    def _followed(self, href: str, values: Mapping[str, object]) -> str:
        url = follow(self._base, href, values)
        if url is None:
            raise TargetDown("a link leads to another server")
        return url

    async def _get(self, url: str, kind: type[T], where: str) -> T:
        async with self._web.ask("GET", url, HAL) as reply:
            if reply.status in MISSING:
                raise _Missing(f"{where}: {reply.status}")
            if reply.status != 200:
                raise refusal(reply.status, after_s(reply), reading=True, where=where)
            return await json_of(reply, kind)


class _Missing(TargetDown):
    """404: what that means depends on what was asked for."""
