"""Paste bytes, see what they mean: fields with units and the bytes they come of, or a LoRaWAN frame in words."""

from typing import Final

from torhaus.codecs.influence import Stretch
from torhaus.codecs.model import Fields
from torhaus.daemon.cli.lora_decode import frame_of
from torhaus.daemon.page.decoding import MAX_BYTES, Busy, Decoded, Decoding, FrameWords
from torhaus.daemon.page.html import Child, Html, el, joined
from torhaus.daemon.page.parts import choice, facts, field, link, said, section, table
from torhaus.daemon.page.users import Role
from torhaus.daemon.page.view import Ask, Shown, View

KINDS: Final = ("payload", "frame")
_MAX_TEXT: Final = 4096


async def show(ask: Ask) -> Shown:
    """The form, and below it what came of it."""
    t, decoding = ask.t, ask.site.decoding
    kind = "frame" if ask.query.get("kind") == "frame" else "payload"
    text, codec, fport = (ask.query.get(k, "").strip() for k in ("data", "codec", "fport"))
    device = ask.site.devices.get(ask.query.get("device", ""))
    codec = codec or (device.codec if device is not None and device.codec else "")
    parts: list[Child] = [_form(ask, kind, text, codec, fport)]
    if text:
        parts.append(await _result(ask, decoding, kind, text, codec, fport))
    return Shown(t("decode.title"), joined(*parts))


async def _result(ask: Ask, decoding: Decoding, kind: str, text: str, codec: str, fport: str) -> Html:
    t = ask.t
    try:
        data = frame_of(text[:_MAX_TEXT])
    except ValueError:
        return _fault(t("decode.no_bytes"))
    if len(data) > MAX_BYTES:
        return _fault(t("decode.too_long", n=MAX_BYTES))
    try:
        if kind == "frame":
            return _frame(ask, data, await decoding.frame(data, with_keys=ask.may(Role.ADMIN)))
        if not decoding.is_known(codec):
            return _fault(t("decode.no_codec"))
        if fport and not (fport.isascii() and fport.isdigit() and len(fport) <= 3 and int(fport) <= 255):
            return _fault(t("device.bad_fport"))
        return _payload(ask, data, await decoding.payload(codec, int(fport) if fport else None, data))
    except Busy:
        return _fault(t("decode.busy"))


def _fault(text: str) -> Html:
    return el("p", {"class": "fault", "role": "alert"}, text)


def _form(ask: Ask, kind: str, text: str, codec: str, fport: str) -> Html:
    t = ask.t
    names = el("datalist", {"id": "codecs"}, [el("option", {"value": name}) for name in ask.site.decoding.codecs()])
    area = el("textarea", {"name": "data", "class": "mono", "rows": 3, "maxlength": _MAX_TEXT}, text)
    named = el("input", {"name": "codec", "value": codec, "list": "codecs", "maxlength": 200, "size": 40})
    port = el("input", {"name": "fport", "value": fport, "inputmode": "numeric", "maxlength": 3, "size": 4})
    return el(
        "form",
        {"method": "get", "action": "/decode"},
        field(t("decode.kind"), choice("kind", [(k, t(f"decode.{k}")) for k in KINDS], kind)),
        field(t("decode.data"), area, t("decode.data_hint")),
        field(t("device.codec"), named, t("decode.codec_hint")),
        names,
        field("FPort", port),
        el("button", t("decode.go")),
    )  # fmt: skip


def _payload(ask: Ask, data: bytes, found: Decoded) -> Html:
    t = ask.t
    if found.fields is None:
        return section(t("decode.result"), _fault(f"{t('decode.refused')} {found.fault}"))
    rows: list[list[Child]] = [
        [name, said(t, value), value.unit or "", _where(t("decode.bytes"), name, found.stretches)]
        for name, value in found.fields.items()
    ]
    head = [t("device.field"), t("device.value"), t("decode.unit"), t("decode.from")]
    parts: list[Child] = [table(head, rows, numbers=(1,), empty=t("decode.no_fields"))]
    if found.stretches is None:
        parts.append(el("p", {"class": "hint"}, t("decode.not_explained")))
    else:
        parts.append(el("h3", t("decode.byte_by_byte")))
        parts.append(_bytes(ask, data, found.fields, found.stretches))
    return section(t("decode.result"), *parts)


def _where(word: str, name: str, found: list[Stretch] | None) -> str:
    spans = [f"{s.start}–{s.end - 1}" if s.end - s.start > 1 else str(s.start) for s in found or () if name in s.fields]
    return f"{word} {', '.join(spans)}" if spans else "–"


def _bytes(ask: Ask, data: bytes, fields: Fields, found: list[Stretch]) -> Html:
    t = ask.t
    rows: list[list[Child]] = []
    for s in found:
        what: Child = ", ".join(f"{n} = {said(t, fields[n])}" for n in s.fields)
        if not s.fields:
            what = el("span", {"class": "faint"}, t("decode.structure" if s.is_structure else "decode.unused"))
        where = f"{s.start}–{s.end - 1}" if s.end - s.start > 1 else s.start
        rows.append([where, el("span", {"class": "mono"}, data[s.start : s.end].hex(" ")), what])
    return table([t("decode.at"), t("decode.hex"), t("decode.means")], rows, numbers=(0,))


def _frame(ask: Ask, data: bytes, found: FrameWords) -> Html:
    t = ask.t
    if found.fault:
        return section(t("decode.result"), _fault(f"{t('decode.refused')} {found.fault}"))
    parts: list[Child] = []
    if found.device is not None:
        parts.append(el("p", t("frames.device"), ": ", el("b", found.device)))
    parts.append(facts(found.rows))
    if found.payload and found.codec:
        query = {"codec": found.codec, "fport": found.fport, "data": found.payload.hex()}
        parts.append(el("p", link("/decode", t("decode.payload_too"), **query)))
    elif not ask.may(Role.ADMIN):
        parts.append(el("p", {"class": "hint"}, t("decode.keys_hint")))
    parts.append(el("p", {"class": "hint mono"}, data.hex(" ")))
    return section(t("decode.result"), *parts)


VIEW = View("decode", show)
