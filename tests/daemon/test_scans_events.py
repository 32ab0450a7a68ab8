import typing

import msgspec

from torhaus.daemon.scans.events import Event

ALLOWED = {
    "id", "station", "target", "state", "reason", "size_bytes", "up", "detail", "kind", "outcome", "seconds", "where",
    "seq", "what", "count",
}  # fmt: skip


def test_events_have_no_room_for_a_documents_name_or_path() -> None:
    kinds = typing.get_args(Event)
    assert len(kinds) == 15
    for kind in kinds:
        assert issubclass(kind, msgspec.Struct)
        assert set(kind.__struct_fields__) <= ALLOWED
        assert kind.__struct_config__.frozen
