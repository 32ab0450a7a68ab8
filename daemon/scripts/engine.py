"""Vendors' scripts in quickjs-ng contexts: kept while that makes no difference, thrown away when it might.

Published scripts are written for a context of their own for each message. Building one costs half a millisecond or
more, a call in a kept one some microseconds; so contexts are kept, under three rules that hold results to those of
fresh ones: globals are put back after each call (prelude.js); a refusal is only ever a fresh context's verdict; the
first calls and every 256th are repeated in a fresh context, and a script whose results differ gets fresh ones from
then on.

Used by one thread only (quickjs-ng contexts crash otherwise).
"""

import re
from collections import OrderedDict
from typing import Final, NoReturn, cast

import msgspec
import quickjs

from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.daemon.scripts.encoded import read_encoded
from torhaus.daemon.scripts.protocol import MAX_CONTEXT, OWN_SOURCES, Decoded, Encoded, Job, Limits
from torhaus.daemon.scripts.result import read_result

_OWN_LINE: Final = 20_000
"""Our own JavaScript starts behind this line: the engine gives all sources one file name."""
_AUDITED_FIRST: Final = 8
_AUDITED_EVERY: Final = 256
_PLACE: Final = re.compile(r"<input>:(\d+)(?::(\d+))?")
_STACK: Final = "Maximum call stack size exceeded"


class _Input(msgspec.Struct, omit_defaults=True):
    """What a script's function is given: TS013's input, plus `variables` (ChirpStack) and `devEui`."""

    variables: dict[str, str]
    bytes: list[int] | msgspec.UnsetType = msgspec.UNSET
    fport: int | None = msgspec.field(default=None, name="fPort")
    recv_time: str | None = msgspec.field(default=None, name="recvTime")
    dev_eui: str | None = msgspec.field(default=None, name="devEui")


class _Limited(DecodeError):  # noqa: N818 - a refusal, like its base
    """A refusal after which the context is of no further use."""


class _Context:
    """One script, loaded. `uses` counts its calls after the first; `wrapped`: it has TS013's function."""

    def __init__(self, own: tuple[str, ...], script_id: str, script: "_Script", limits: Limits) -> None:
        self.uses = 0
        self._places = script.places
        self._limits = limits
        self._context = quickjs.Context()
        self._context.set_memory_limit(limits.memory_bytes)
        self._context.set_max_stack_size(limits.stack_bytes)
        self._context.set_time_limit(limits.load_s)
        prelude, *parts = own
        self._call = self._context.eval(prelude)(*parts, _OWN_LINE, script.packed)
        self.wrapped = self._enter(script_id, "load", script.text) == "0"
        self._context.set_time_limit(limits.call_s)

    def run(self, job: Job, given: str) -> str:
        """The result (see prelude.js). DecodeError when there is none; _Limited when a limit was hit."""
        return self._enter(job.script_id, job.call, given)

    def held_bytes(self) -> int:
        """Memory in use."""
        return cast("int", self._context.memory()["malloc_size"])

    def _enter(self, script_id: str, what: str, argument: str) -> str:
        try:
            answer = self._call(what, argument, self._limits.answer_chars)
        except quickjs.JSException as error:  # what JavaScript cannot catch: time, or no memory for an exception
            self._refuse(script_id, *str(error).split("\n", 1))
        except UnicodeError as error:
            raise DecodeError(RejectReason.SCRIPT_RESULT, f"{script_id}: {error}") from None
        if not isinstance(answer, str):
            raise _Limited(RejectReason.SCRIPT_RESULT, f"{script_id}: the host's functions were replaced")
        if answer.startswith("!"):
            self._refuse(script_id, *answer[1:].split("\1", 1))
        return answer

    def _refuse(self, script_id: str, said: str, stack: str = "") -> NoReturn:
        """Raise for what an exception says and its stack, of which the first line of the script's own is named."""
        said = " ".join(said.split())
        place = script_id
        for line, column in _PLACE.findall(stack):
            if int(line) <= _OWN_LINE:
                file, first = next((p for p in reversed(self._places) if int(line) > p[1]), ("", 0))
                place = f"{script_id}{f' ({file})' if file else ''}:{int(line) - first}"
                place += f":{column}" if column else ""
                break
        if said.startswith("InternalError: interrupted"):
            raise _Limited(RejectReason.SCRIPT_TIME, f"{place}: took longer than it may")
        if said in {"InternalError: out of memory", "null"}:
            raise _Limited(RejectReason.SCRIPT_MEMORY, f"{place}: needs more memory than it may")
        kind = _Limited if _STACK in said else DecodeError
        raise kind(RejectReason.SCRIPT_ERROR, f"{place}: {said}")


class _Script:
    """A source. `broken` is why it cannot be loaded, once that is known: it is not tried again.

    `packed`: the other files of its package for prelude.js; `places`: each with the line behind which it stands, as the
    engine gives all sources one file name.
    """

    __slots__ = ("broken", "packed", "places", "stateful", "text", "wrapped")

    def __init__(self, text: str, main: str, files: dict[str, str]) -> None:
        self.text = text
        self.places: list[tuple[str, int]] = []
        line = text.count("\n") + 2
        for path, source in files.items():
            self.places.append((path, line))
            line += source.count("\n") + 2
        packed = [(path, files[path], first) for path, first in self.places]
        self.packed = msgspec.json.encode({"main": main, "files": packed}).decode() if files else ""
        self.stateful = False
        self.wrapped = True
        self.broken: DecodeError | None = None


class Engine:
    """All scripts of the process. `sources` is our own JavaScript by file name."""

    def __init__(self, sources: dict[str, str], limits: Limits) -> None:
        prelude, *parts = (sources[name] for name in OWN_SOURCES)
        self._own = ("\n" * _OWN_LINE + prelude, *parts)
        self._limits = limits
        self.broke_a_limit = False  # since the process last gave memory back
        self._scripts: dict[str, _Script] = {}
        self._kept: OrderedDict[str, _Context] = OrderedDict()
        self.left: dict[tuple[str, str], str] = {}
        """What scripts have left for a device's next message, by script and DevEUI, since the batch began."""

    def add(self, source_hash: str, text: str, main: str = "", files: dict[str, str] | None = None) -> None:
        """Take a script and the other files of its package; it is compiled when it is first used."""
        self._scripts[source_hash] = _Script(text, main, files or {})

    def forget(self, source_hash: str) -> None:
        """Drop a script."""
        self._scripts.pop(source_hash, None)
        self._kept.pop(source_hash, None)

    def keeps_state(self, source_hash: str) -> bool:
        """Whether a call was seen to change the result of a later one."""
        return self._scripts[source_hash].stateful

    def decode(self, job: Job) -> Decoded | Encoded:
        """Run a job. Raises DecodeError, with the script's name and, where there is one, the line in the detail."""
        script = self._scripts.get(job.source_hash)
        if script is None:
            raise DecodeError(RejectReason.SCRIPT_ERROR, f"{job.script_id}: the script was withdrawn")
        payload = msgspec.UNSET if job.call == "encode" else list(job.payload)
        given = msgspec.json.encode(_Input({}, payload, job.fport, job.recv_time, job.dev_eui)).decode()
        whose = (job.source_hash, job.dev_eui or "")
        context = self.left.get(whose, job.context)
        if context:
            given = f'{given[:-1]},"context":{context}}}'
        if job.extra:
            given = f"{given[:-1]},{job.extra[1:]}"  # of a name that is there twice the last one counts
        try:
            if job.fresh or script.stateful:
                answer = self._build(job.script_id, script).run(job, given)
            else:
                answer = self._run_kept(job, script, given)
        except _Limited:
            self.broke_a_limit = True
            raise
        self.broke_a_limit |= answer.startswith(">")
        left, answer = _parted(answer)
        found = _read(job, answer, script.wrapped)
        if left and isinstance(found, Decoded):
            return self._leave(whose, left, found)
        return found

    def _leave(self, whose: tuple[str, str], left: str, found: Decoded) -> Decoded:
        """Keep what a script left for the device's next message; one that leaves too much is told so."""
        if left.startswith("?"):
            said = f"a context of {left[1:]} characters is not kept, {MAX_CONTEXT} may be"
            return Decoded(found.fields, [*found.warnings, said])
        if not left.startswith("[") or not whose[1]:
            return found
        self.left[whose] = left
        return Decoded(found.fields, found.warnings, left)

    def _build(self, script_id: str, script: _Script) -> _Context:
        if script.broken is not None:
            raise DecodeError(script.broken.reason, script.broken.detail)
        try:
            context = _Context(self._own, script_id, script, self._limits)
        except DecodeError as refusal:
            hasty = self._limits.hasty and refusal.reason is RejectReason.SCRIPT_TIME
            if not hasty and refusal.reason is not RejectReason.SCRIPT_MEMORY:  # which may be the others' fault
                script.broken = refusal
            raise
        script.wrapped = context.wrapped
        return context

    def _run_kept(self, job: Job, script: _Script, given: str) -> str:
        context = self._kept.get(job.source_hash)
        if context is None:
            context = self._build(job.script_id, script)
            self._keep(job.source_hash, context)
            try:
                return context.run(job, given)
            except _Limited:
                del self._kept[job.source_hash]
                raise
        self._kept.move_to_end(job.source_hash)
        context.uses += 1
        audited = context.uses <= _AUDITED_FIRST or context.uses % _AUDITED_EVERY == 0
        answer = None
        try:
            answer = context.run(job, given)
            if not audited:
                return answer
        except _Limited as refusal:
            del self._kept[job.source_hash]
            if refusal.reason is RejectReason.SCRIPT_MEMORY:
                self._kept.clear()  # the process may be what is short of memory
            if self._limits.hasty and refusal.reason is not RejectReason.SCRIPT_ERROR:
                raise
        except DecodeError:
            pass  # the fresh context decides
        if answer is not None and context.held_bytes() > self._limits.kept_bytes:
            del self._kept[job.source_hash]
        return self._audit(job, script, given, answer)

    def _audit(self, job: Job, script: _Script, given: str, kept: str | None) -> str:
        """A fresh context's verdict, compared with the kept one's (None: refused)."""
        try:
            answer = self._build(job.script_id, script).run(job, given)
        except DecodeError:
            if kept is not None:
                self._mark_stateful(job.source_hash, script)
            raise
        if kept is None or _parted(answer)[1] != _parted(kept)[1]:
            self._mark_stateful(job.source_hash, script)
        return answer

    def _mark_stateful(self, source_hash: str, script: _Script) -> None:
        script.stateful = True
        self._kept.pop(source_hash, None)

    def _keep(self, source_hash: str, context: _Context) -> None:
        self._kept[source_hash] = context
        if len(self._kept) > self._limits.contexts:
            self._kept.popitem(last=False)


def _parted(answer: str) -> tuple[str, str]:
    """What the script left in `context`, and the result."""
    if not answer.startswith("@"):
        return "", answer
    left, _, result = answer[1:].partition("\1")
    return left, result


def _read(job: Job, answer: str, wrapped: bool) -> Decoded | Encoded:
    if answer.startswith(">"):
        raise DecodeError(RejectReason.SCRIPT_RESULT, f"{job.script_id}: a result of {answer[1:]} characters")
    if answer.startswith("?"):
        raise DecodeError(RejectReason.SCRIPT_RESULT, f"{job.script_id}: returned {answer[1:]}")
    try:
        if job.call == "encode":
            return read_encoded(answer)
        return read_result(answer, wrapped or job.call == "downlink")
    except DecodeError as error:
        raise DecodeError(error.reason, f"{job.script_id}: {error.detail}") from None
