"""From a script's JSON to named values."""

import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.daemon.scripts.protocol import MAX_FIELDS, MAX_NAME, MAX_WARNING, MAX_WARNINGS
from torhaus.daemon.scripts.result import MAX_DEPTH, MAX_TEXT, clean, read_result, to_fields

NAME = re.compile(rf"[a-z0-9_]{{1,{MAX_NAME}}}")


def values(data: object) -> dict[str, object]:
    return {name: value.value for name, value in to_fields(data).items()}


def refused(text: str, wrapped: bool = True) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        read_result(text, wrapped)
    return caught.value


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("temperature", "temperature"), ("temperatureC", "temperature_c"),
        ("outsideTemperature2", "outside_temperature2"), ("TempC_SHT", "temp_c_sht"), ("BatV", "bat_v"),
        ("CO2", "co2"), ("co2Level", "co2_level"), ("PM2_5", "pm2_5"), ("PM10Value", "pm10_value"),
        ("VOCLevel", "voc_level"), ("pH", "ph"), ("kWh", "kwh"), ("battery mV", "battery_mv"), ("a.b", "a_b"),
        ("a--b", "a_b"), ("_x_", "x"), ("Außentemperatur", "aussentemperatur"), ("Höhe", "hoehe"),
        ("Ho\u0308he", "hoehe"), ("µg/m³", "ug_m3"), ("°C", "c"), ("été", "ete"), ("日本", "value"), ("", "value"),
        ("__proto__", "proto"), ("1.8.0", "1_8_0"), ("x" * 100, "x" * MAX_NAME), ("x" * 63 + "_y", "x" * 63),
    ],
)  # fmt: skip
def test_names(given_name: str, name: str) -> None:
    assert clean(given_name) == name


def test_nesting_becomes_names() -> None:
    data = {"a": {"b": 1, "c": [True, {"d": None}]}, "e": [], "f": {}, "g": "x"}
    assert values(data) == {"a_b": 1, "a_c_0": True, "a_c_1_d": None, "g": "x"}


def test_no_value_is_lost_to_a_cleaned_name() -> None:
    data = {"A b": 1, "a-b": 2, "a_b": 3, "aB": 4, "a_b_2": 5}
    expected = {"a_b": 3, "a_b_3": 1, "a_b_4": 2, "a_b_2": 5, "ab": 4}
    assert values(data) == expected
    assert values(dict(reversed(data.items()))) == expected


def test_measurement_lists() -> None:
    data = [
        {"variable": "temperature", "value": 21.4, "date": "d1"},
        {"variable": "humidity", "value": 40},
        {"variable": "temperature", "value": 21.5, "date": "d2"},
    ]
    assert values(data) == {
        "temperature": 21.4,
        "temperature_date": "d1",
        "humidity": 40,
        "temperature_2": 21.5,
        "temperature_date_2": "d2",
    }
    assert values([{"variable": 1, "value": 2}, 3]) == {"value_0_variable": 1, "value_0_value": 2, "value_1": 3}


def test_numbers() -> None:
    text = '{"data":{"i":9007199254740991,"big":123456789012345678901,"f":1e300,"n":-0,"small":-9007199254740993}}'
    fields = read_result(text).fields
    assert [(name, value.value) for name, value in fields.items()] == [
        ("i", 9007199254740991), ("big", 1.2345678901234568e20), ("f", 1e300), ("n", 0), ("small", -9007199254740992.0),
    ]  # fmt: skip
    assert isinstance(fields["big"].value, float)
    assert all(value.unit is None for value in fields.values())


@pytest.mark.parametrize(
    ("text", "wrapped", "expected"),
    [
        ('{"data":{"a":1},"warnings":[],"errors":[]}', True, {"a": 1}),
        ('{"data":{"a":1},"errors":null}', True, {"a": 1}),
        ('{"data":{"a":1},"errors":{}}', True, {"a": 1}),
        ('{"data":{"a":1},"errors":[""]}', True, {"a": 1}),
        ('{"data":{}}', True, {}),
        ('{"data":[4]}', True, {"value_0": 4}),
        ('{"level":1,"battery":2}', True, {"level": 1, "battery": 2}),
        ('{"data":"0102","level":1}', True, {"data": "0102", "level": 1}),
        ('{"level":1,"errors":3}', True, {"level": 1, "errors": 3}),
        ('[{"a":1}]', True, {"value_0_a": 1}),
        ('{"data":{"a":1},"b":2}', False, {"data_a": 1, "b": 2}),
        ('{"data":{"a":1},"warnings":[]}', False, {"a": 1}),
        ('{"errors":["text"],"b":2}', False, {"errors_0": "text", "b": 2}),
    ],
)
def test_shapes(text: str, wrapped: bool, expected: dict[str, object]) -> None:
    assert {name: value.value for name, value in read_result(text, wrapped).fields.items()} == expected


def test_warnings() -> None:
    assert read_result('{"data":{"a":1},"warnings":["low",{"code":3},null,""]}').warnings == ["low", '{"code":3}']
    assert read_result('{"data":{"a":1},"warnings":"low"}').warnings == ["low"]
    many = msgspec.json.encode({"data": {}, "warnings": ["x" * 1000] * 100}).decode()
    assert read_result(many).warnings == ["x" * MAX_WARNING] * MAX_WARNINGS


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ('{"errors":["one","two"]}', "one; two"),
        ('{"data":{"a":1},"errors":["one"]}', "one"),
        ('{"errors":"one"}', "one"),
        ('{"errors":[{"code":1}]}', '{"code":1}'),
    ],
)
def test_reported_errors(text: str, detail: str) -> None:
    error = refused(text)
    assert (error.reason, error.detail) == (RejectReason.SCRIPT_ERROR, detail)


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("null", "returned null, not an object"),
        ("true", "returned a truth value, not an object"),
        ("3", "returned a number, not an object"),
        ('"x"', "returned a text, not an object"),
        ("{}", "returned no data"),
        ('{"data":null}', "returned no data"),
        ('{"warnings":[]}', "returned no data"),
        ("", "the result is not JSON"),
        ('{"data":{"a":1}', "the result is not JSON"),
        ('{"data":{"a":"\\ud800"}}', "the result is not JSON"),
        ('{"data":' + "[" * 17 + "1" + "]" * 17 + "}", f"nested deeper than {MAX_DEPTH} levels"),
        ("[" * 30000 + "]" * 30000, f"nested deeper than {MAX_DEPTH} levels"),
        ('{"data":{"someText":"' + "x" * (MAX_TEXT + 1) + '"}}', f"some_text: a text of {MAX_TEXT + 1} characters"),
        (msgspec.json.encode(list(range(MAX_FIELDS + 1))).decode(), f"more than {MAX_FIELDS} values"),
    ],
)
def test_what_is_no_result(text: str, detail: str) -> None:
    error = refused(text)
    assert error.reason is RejectReason.SCRIPT_RESULT
    assert error.detail.startswith(detail)


def test_as_much_as_is_allowed() -> None:
    assert len(to_fields(list(range(MAX_FIELDS)))) == MAX_FIELDS
    nested = '{"data":' + "[" * MAX_DEPTH + "1" + "]" * MAX_DEPTH + "}"
    assert list(read_result(nested).fields) == [clean("value" + "_0" * MAX_DEPTH)]
    assert len(read_result('{"data":{"a":"' + "x" * MAX_TEXT + '"}}').fields) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(alphabet="aAbB1._- ä", max_size=3), inner, max_size=5)
    ),
    max_leaves=30,
)


def leaves(data: object) -> int:
    if isinstance(data, dict):
        return sum(leaves(inner) for inner in data.values())
    if isinstance(data, list):
        return sum(leaves(inner) for inner in data)
    return 1


@settings(max_examples=200, deadline=None)
@given(data=st.dictionaries(st.text(alphabet="aAbB1._- ä", max_size=3), JSON, max_size=6))
def test_no_value_is_lost(data: dict[str, object]) -> None:
    fields = to_fields(data)
    assert len(fields) == leaves(data)
    assert all(NAME.fullmatch(name) for name in fields)


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=60) | JSON.map(lambda data: msgspec.json.encode(data).decode()), wrapped=st.booleans())
def test_only_decode_error_leaves(text: str, wrapped: bool) -> None:
    try:
        read_result(text, wrapped)
    except DecodeError as error:
        assert error.reason in {RejectReason.SCRIPT_ERROR, RejectReason.SCRIPT_RESULT}  # noqa: PT017 - either way is right
