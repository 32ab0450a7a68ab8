"""The description of the messages, against ChirpStack's own definition."""

from typing import Any

import pytest

from tests.codecs.chirpstack_gw_fakes import TOP, theirs
from torhaus.codecs.framing.chirpstack_gw.commands import Command, Event
from torhaus.codecs.framing.chirpstack_gw.fields import Member, Message, Moment, Span, by_name, members, values
from torhaus.codecs.framing.chirpstack_gw.messages import UplinkRxInfo

TYPES = {"string": 9, "bytes": 12, "bool": 8, "uint32": 13, "int32": 5, "float": 2, "double": 1, "enum": 14}
TIMES = {"moment": "google.protobuf.Timestamp", "span": "google.protobuf.Duration"}


def compare(of: type[Message], descriptor: Any, seen: set[str]) -> None:
    if of.__name__ in seen:
        return
    seen.add(of.__name__)
    for m in members(of):
        field = descriptor.fields_by_name[m.name]
        where = f"{descriptor.full_name}.{m.name}"
        assert (field.number, field.json_name) == (m.number, m.label), where
        assert field.is_repeated == (m.shape != "one"), where
        assert (field.containing_oneof.name if field.containing_oneof else "") == m.choice, where
        if m.shape == "map":
            entry = field.message_type.fields_by_name
            assert (entry["key"].type, entry["value"].type) == (TYPES[m.key], TYPES[m.kind]), where
        else:
            one(m, field, where, seen)


def one(m: Member, field: Any, where: str, seen: set[str]) -> None:
    if m.kind == "message":
        compare(m.type, field.message_type, seen)
    elif m.kind in TIMES:
        assert field.message_type.full_name == TIMES[m.kind], where
    else:
        assert field.type == TYPES[m.kind], where
        if m.kind == "enum":
            assert [(v.name, v.number) for v in field.enum_type.values] == [
                (str(name), number) for number, name in enumerate(values(m.type))
            ], where


@pytest.mark.parametrize("of", TOP, ids=lambda of: of.__name__)
def test_numbers_names_and_types_are_chirpstacks(of: type[Message]) -> None:
    compare(of, theirs(of).DESCRIPTOR, {"Mesh"})


@pytest.mark.parametrize("of", TOP, ids=lambda of: of.__name__)
def test_nothing_is_left_out_but_what_is_legacy(of: type[Message]) -> None:
    wanted = {field.name for field in theirs(of).DESCRIPTOR.fields if "legacy" not in field.name}
    assert {m.name for m in members(of)} == wanted


def test_an_envelope_holds_one_of_several() -> None:
    assert {m.choice for m in members(Event)} == {"event"}
    assert {m.choice for m in members(Command)} == {"command"}


def test_a_field_is_found_by_either_name() -> None:
    names = by_name(UplinkRxInfo)
    assert names["gateway_id"] is names["gatewayId"]
    assert names["metadata"].shape == "map"


def test_moments_and_spans_are_values() -> None:
    assert Moment(1) == Moment(1)
    assert len({Moment(1), Moment(1), Moment(2), Span(1)}) == 3
    assert Moment(1) != Span(1)
    assert repr(Span(-5)) == "Span(-5)"
