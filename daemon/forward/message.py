"""What central systems receive: frozen by docs/reference/message.schema.json and a test."""

from typing import Literal

import msgspec

from torhaus.codecs.model import Fields
from torhaus.daemon.outbox.record import Lora

Kind = Literal["reading", "frame", "event"]
Clock = Literal["synced", "corrected", "unsynced"]


class Message(msgspec.Struct, omit_defaults=True, gc=False):
    """One record as it is sent. `id`, `kind`, `site`, `at`, `clock` and `late` are always there."""

    id: str
    kind: Kind
    site: str
    at: str
    clock: Clock
    late: bool = msgspec.field()
    device: str | None = None
    dev_eui: str | None = None
    driver: str | None = None
    codec: str | None = None
    fields: Fields | None = None
    reason: str | None = None  # why there are no fields
    detail: str | None = None
    lora: Lora | None = None
    event: dict[str, float | int | str] | None = None
    raw: bytes | None = None  # base64 in JSON
    alarm: bool = False  # by a rule of the site: overtakes everything else
