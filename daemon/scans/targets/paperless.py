"""Delivery to Paperless-ngx, version 2 and 3.

POST post_document says yes before anything is looked at: it gives a task, which is asked for until it names the
document. Proof is the checksum that Paperless keeps of the original (MD5 in version 2, SHA-256 in version 3); an MD5
alone is not believed, the original is read back as well. The document's id is what "filed" means.

Documents are called `<store>-<seq>-<name>`, and looked for by that before they are sent again. Paperless 2 refuses
bytes that it has already (ours under another id, or somebody else's document): these are held for a person.

Source: Paperless-ngx, docs/api.md; src/documents (views.py, filters.py, migration 0016 of version 3).
"""

import re
from typing import Annotated, Final, TypeVar
from urllib.parse import urlencode

import aiohttp
import msgspec

from torhaus.daemon.scans.names import safe_name
from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.stations import AbsPath
from torhaus.daemon.scans.targets.answers import MISSING, refusal
from torhaus.daemon.scans.targets.base import Context, NotNow, Parcel, Pending, Proof, Receipt, Refused
from torhaus.daemon.scans.targets.fill import fill, placeholder_fault
from torhaus.daemon.scans.targets.settling import Posted, keep, way_of
from torhaus.daemon.scans.targets.web import Web, WebConfig, after_s, json_of, token

T = TypeVar("T")
Id = Annotated[int, msgspec.Meta(ge=1)]

POLL_S: Final = 2.0
_TASK: Final = re.compile(r"[A-Za-z0-9-]{1,64}\Z")
_ID: Final = re.compile(r"[0-9]{1,12}")
_MADE: Final = re.compile(r"document id ([0-9]{1,12})")
_SHA256: Final = re.compile(r"[0-9A-Fa-f]{64}")
_DONE: Final = frozenset({"SUCCESS", "FAILURE", "REVOKED"})


class Config(WebConfig, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="type", tag="paperless"):
    """A Paperless-ngx server. `url` is its own, without /api."""

    token_file: AbsPath
    title: Annotated[str, msgspec.Meta(max_length=128)] | None = None  # with {id} {name} {station} {sha256}
    correspondent: Id | None = None
    document_type: Id | None = None
    storage_path: Id | None = None
    tags: tuple[Id, ...] = ()
    settle_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 600.0  # a document whose task is not known may take

    def __post_init__(self) -> None:
        """Raises ValueError that names the key."""
        super().__post_init__()
        fault = None if self.title is None else placeholder_fault(self.title)
        if fault is not None:
            raise ValueError(f"title {fault}")


class Way(Posted):
    """How far a document came."""

    task: str | None = None
    document: int | None = None


class Task(msgspec.Struct, frozen=True):
    """What Paperless says of a task. Version 3 writes states in small letters and lists the documents."""

    status: str = ""
    result: msgspec.Raw = msgspec.Raw(b"null")  # a text or a table: only its words matter
    related_document: int | str | None = None
    related_document_ids: list[int] | None = None

    @property
    def words(self) -> str:
        """What it says of its end."""
        return bytes(self.result).decode(errors="replace")


class Tasks(msgspec.Struct, frozen=True):
    """A page of them, as version 3 has it."""

    results: list[Task] = []


class Document(msgspec.Struct, frozen=True):
    """A document as the list has it."""

    id: int
    original_file_name: str | None = None


class Documents(msgspec.Struct, frozen=True):
    """A page of them."""

    results: list[Document] = []


class Metadata(msgspec.Struct, frozen=True):
    """What Paperless knows of a document's files."""

    original_checksum: str | None = None


def open_target(config: Config, context: Context) -> "Paperless":
    """The target; touches nothing until it is used."""
    return Paperless(config, context)


class Paperless:
    """One server."""

    proves = Proof.FILED

    def __init__(self, config: Config, context: Context) -> None:
        self._config = config
        self._clock = context.clock
        self._web = Web(config, context, self._credentials)
        self._api = f"{config.url.rstrip('/')}/api"

    def _credentials(self) -> dict[str, str]:
        return {"Authorization": f"Token {token(self._config.token_file)}", "Accept": "application/json"}

    async def send(self, parcel: Parcel) -> Receipt:
        """Find the document, or send it and wait until it is made. Never has a hash: `stored` asks for it."""
        way = way_of(parcel, Way)
        if way.document is None:
            way.document = await (self._outcome(way, parcel) if way.task else self._search(parcel))
            found = way.document if way.task is None else None
            if found is not None and await self._hash(found, parcel) != parcel.sha256:
                raise Refused(f"document {way.document} has our name and other content", Reason.CONFLICT)
        if way.document is None:
            way.let_settle(self._clock, self._config.settle_s, 5 * POLL_S)
            await self._post(parcel)  # ends with Pending
        await keep(parcel, way)
        return Receipt(None, "filed", str(way.document))

    async def _search(self, parcel: Parcel) -> int | None:
        """The document that has our name."""
        name = _name(parcel)
        query = urlencode({"original_filename__iexact": name, "page_size": 10, "truncate_content": "true"})
        found = await self._get(f"/documents/?{query}", Documents, "search")
        ids = {each.id for each in found.results if (each.original_file_name or name).lower() == name.lower()}
        if len(ids) > 1:
            raise Refused(f"{len(ids)} documents have our name", Reason.CONFLICT)
        return next(iter(ids), None)

    async def _post(self, parcel: Parcel) -> None:
        """Send. Raises Pending: what became of it is asked for later."""
        form = aiohttp.FormData(quote_fields=False)  # else names are percent-encoded, and not found again
        for key, value in self._fields(parcel):
            form.add_field(key, value)
        form.add_field(
            "document", self._web.file(parcel.path, parcel.size_bytes), filename=_name(parcel),
            content_type=parcel.media_type,
        )  # fmt: skip
        way = Way()
        way.now(self._clock)
        await keep(parcel, way)
        url = f"{self._api}/documents/post_document/"
        async with self._web.ask("POST", url, None, form, parcel.size_bytes) as reply:
            if reply.status != 200:
                if 400 <= reply.status < 500:
                    await keep(parcel, Way())  # nothing was taken
                raise refusal(reply.status, after_s(reply), where="sending")
            way.task = await json_of(reply, str)
        if not _TASK.match(way.task):
            raise NotNow("sending: the answer names no task", after_s=self._config.settle_s)
        await keep(parcel, way)
        raise Pending(POLL_S)

    def _fields(self, parcel: Parcel) -> list[tuple[str, str]]:
        config = self._config
        pairs = [("correspondent", config.correspondent), ("document_type", config.document_type)]
        pairs += [("storage_path", config.storage_path), *(("tags", tag) for tag in config.tags)]
        fields = [(key, str(value)) for key, value in pairs if value is not None]
        if config.title is not None:
            fields.append(("title", fill(config.title, parcel)[:128]))
        return fields

    async def _outcome(self, way: Way, parcel: Parcel) -> int | None:
        """What became of the task: the document, or None when it is to be sent again."""
        query = urlencode({"task_id": way.task or ""})
        answer = await self._get(f"/tasks/?{query}", list[Task] | Tasks, "task")  # type: ignore[arg-type]
        tasks = answer.results if isinstance(answer, Tasks) else answer
        task = tasks[0] if tasks else None
        if task is not None and task.status.upper() not in _DONE:
            raise Pending(POLL_S)
        made = None if task is None else _document_of(task)
        found = made if made is not None else await self._search(parcel)
        if found is None and task is not None and task.status.upper() != "SUCCESS":
            await keep(parcel, Way())
            if "duplicate" in task.words.lower():
                raise Refused("Paperless has these bytes already, as another document", Reason.CONFLICT)
            raise NotNow("Paperless could not take it: see its log", Reason.REFUSED)
        if found is None:
            way.task = None
        return found

    async def stored(self, parcel: Parcel) -> str | None:
        """The checksum that Paperless keeps, if it is a SHA-256; else that of the original, read back."""
        document = way_of(parcel, Way).document or await self._search(parcel)
        return None if document is None else await self._hash(document, parcel)

    async def _hash(self, document: int, parcel: Parcel) -> str | None:
        if self._config.read_back != "always":
            try:
                kept = (await self._get(f"/documents/{document}/metadata/", Metadata, "metadata")).original_checksum
            except _Missing:
                return None
            if kept is not None and _SHA256.fullmatch(kept):
                return kept.lower()
        return await self._web.digest(f"{self._api}/documents/{document}/download/?original=true", parcel.size_bytes)

    async def probe(self) -> str:
        """The token is good, and documents can be seen with it."""
        url = f"{self._api}/documents/?page_size=1"
        async with self._web.ask("GET", url) as reply:
            if reply.status != 200:
                raise refusal(reply.status, after_s(reply), reading=True)
            await json_of(reply, Documents)
            version = reply.headers.get("X-Version", "of a version that it does not tell")
        return f"Paperless {version[:40]}"

    async def close(self) -> None:
        """Let go of connections."""
        await self._web.close()

    async def _get(self, path: str, kind: type[T], where: str) -> T:
        async with self._web.ask("GET", f"{self._api}{path}") as reply:
            if reply.status in MISSING:
                raise _Missing(f"{where}: {reply.status}")
            if reply.status != 200:
                raise refusal(reply.status, after_s(reply), reading=True, where=where)
            return await json_of(reply, kind)


class _Missing(NotNow):
    """404: what that means depends on what was asked for."""


def _document_of(task: Task) -> int | None:
    """The document that a task has made, wherever this version says so."""
    if task.status.upper() != "SUCCESS":
        return None
    if task.related_document_ids:
        return task.related_document_ids[0]
    if _ID.fullmatch(str(task.related_document)):
        return int(str(task.related_document))
    match = _MADE.search(task.words)
    return None if match is None else int(match[1])


def _name(parcel: Parcel) -> str:
    return f"{parcel.store}-{parcel.seq}-{safe_name(parcel.name)}"
