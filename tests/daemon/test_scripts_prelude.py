"""What scripts are given and what they may look like: calling conventions, Buffer and text, values of all kinds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.daemon.scripts_fakes import Bench
from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.daemon.scripts.protocol import Decoded, Encoded, Job


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


def test_ts013(bench: Bench) -> None:
    decoded = bench.decode("climate.js", bytes.fromhex("01ffd6 0237 030bb7"))
    assert decoded.fields == {"temperature": Value(-4.2), "humidity": Value(55), "battery_voltage": Value(2999)}
    assert decoded.warnings == ["battery low"]


def test_reported_errors_refuse(bench: Bench) -> None:
    assert str(bench.refusal("climate.js", b"", 99)) == "script_error: climate.js: unknown port"
    assert str(bench.refusal("climate.js", b"\x01\x00")) == "script_error: climate.js: too short"


def test_exception_names_file_and_line(bench: Bench) -> None:
    assert str(bench.refusal("climate.js", b"\x07")) == "script_error: climate.js:17:42: Error: unknown channel"


def test_older_functions(bench: Bench) -> None:
    values = bench.values("chirpstack.js", b"\x07\x08", 3)
    assert values == {"port": 3, "first": 7, "count": 2, "variables": "object", "plain": True}
    assert bench.values("ttn2.js", b"\x07\x08", 3) == {"port": 3, "sum": 15}


def test_without_fport(bench: Bench) -> None:
    assert bench.values("ttn2.js", b"\x07", None) == {"sum": 7}


def test_bundled_script(bench: Bench) -> None:
    values = bench.values("bundle.js", b"\x05")
    assert values == {"value": 0.5, "time": "2026-01-02T03:04:05.000Z", "eui": "a81758fffe0312ab"}


@pytest.mark.parametrize(
    "text",
    [
        "const decodeUplink = (input) => ({ data: { a: input.bytes.length } });",
        "let decodeUplink = function (input) { return { data: { a: input.bytes.length } }; } // no newline at the end",
        "exports.decodeUplink = (input) => ({ data: { a: input.bytes.length } });",
        "'use strict'; function decodeUplink(input) { return { a: input.bytes.length }; }",
        "function decodeUplink({ bytes: b }) { return { data: { a: b.length } }; } var Buffer = require('buffer');",
        "var module = module || {}; function Decoder(b) { return { a: b.length }; }",
        "function Decoder(b) { return 1; } function decodeUplink(i) { return { data: { a: i.bytes.length } }; }",
        "function decodeUplink(i) { context.length = 0; context.push(i); return { data: { a: i.bytes.length } }; }",
        "function decodeUplink(i) { context.push(context); return { data: { a: i.bytes.length } }; }",
    ],
)
def test_ways_to_define_it(text: str) -> None:
    bench = Bench()
    bench.add("own.js", text)
    for _ in range(3):
        assert bench.values("own.js", b"abc") == {"a": 3}
    assert not bench.engine.keeps_state("own.js")


def test_values_without_a_json_word(bench: Bench) -> None:
    assert bench.values("odd.js") == {
        "not_a_number": None,
        "infinite": None,
        "minus": None,
        "nothing": None,
        "yes": True,
        "when": "2026-01-02T03:04:05.000Z",
        "big": "12345678901234567890",
        "small": 7,
        "negative_zero": 0,
        "list_0": 1,
        "list_1": None,
        "list_2": "two",
        "list_3_three": 3,
        "bytes_type": "Buffer",
        "bytes_data_0": 1,
        "bytes_data_1": 2,
    }


def test_buffer_and_text(bench: Bench) -> None:
    assert bench.values("bytes.js", bytes.fromhex("ff80010203040506")) == {
        "u8": 255, "i8": -1, "u16be": 0xFF80, "u16le": 0x80FF, "i16be": -128, "i16le": -32513, "u32be": 0xFF800102,
        "u32le": 0x020180FF, "i32be": -8388350, "i32le": 0x020180FF, "alias": 0xFF80, "f32": 21.5, "f64": 21.5,
        "u24be": 0xFF8001, "i24be": -32767, "u24le": 0x0180FF, "i48le": 0x0403020180FF, "u64": str(0xFF80010203040506),
        "i64": str(0x06050403020180FF), "hex": "ff80010203040506", "part": "8001", "base64": "/4ABAgMEBQY=",
        "url": "_4ABAgMEBQY", "latin1": "ä", "utf8": "4772c3bcc39f6520e282ac", "text": "Grüße", "ascii": "A",
        "utf16": "6100ac20", "odd": 1, "badhex": "12", "b64": "deadbeef", "concat": "ff09", "cut": "ff8001",
        "is_buffer": True, "is_bytes": True, "equals": True, "index": 1, "missing": -1, "swapped": "80ff020104030605",
        "same": True, "legacy": 2, "outside": "RangeError ERR_OUT_OF_RANGE", "kind": "TypeError",
        "unknown": "TypeError ERR_UNKNOWN_ENCODING", "module": "Error MODULE_NOT_FOUND", "written": "1234feff01020300",
        "range": "RangeError ERR_OUT_OF_RANGE", "filled": "aba", "length": 3, "crypto": "Error",
        "decoded": "G\ufffd\ufffdA", "sixteen": "a€", "windows": "€ä", "fatal": "TypeError",
        "encoded": "195,159,226,130,172", "atob": 3, "btoa": "AQID", "json": '{"type":"Buffer","data":[7]}',
        "surrogates": "\ufffd\ufffd\ufffd", "emoji": "f09f9880", "long": "😀",
    }  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(payload=st.binary(max_size=60), fport=st.integers(0, 255))
def test_any_payload_is_decoded_or_refused(bench: Bench, payload: bytes, fport: int) -> None:
    try:
        decoded = bench.decode("climate.js", payload, fport)
    except DecodeError as refusal:
        assert refusal.reason is RejectReason.SCRIPT_ERROR  # noqa: PT017 - either way is right
    else:
        assert set(decoded.fields) <= {"temperature", "humidity", "battery_voltage"}


def test_bytes_are_the_payload() -> None:
    bench = Bench()
    bench.add("echo.js", "function decodeUplink(i) { return { data: { hex: Buffer.from(i.bytes).toString('hex') } }; }")
    for payload in (b"", bytes(range(256)), b"\x00" * 300):
        assert bench.values("echo.js", payload)["hex"] == payload.hex()


CALLS = {
    "older.js": "function Encode(fPort, obj, variables) { return [fPort, obj.a, variables ? 1 : 0]; }",
    "oldest.js": "function Encoder(obj, port) { return [obj.a, port]; }",
    "package.js": "module.exports = { encodeDownlink(i) { return { bytes: [i.data.a], had: 'bytes' in i }; } };",
}


@pytest.mark.parametrize(
    "text",
    [
        "var driver; (() => { driver = { decodeUplink(i) { return { data: { n: i.bytes[0] } }; } }; })();",
        "exports.driver = { decodeUplink(i) { return { data: { n: i.bytes[0] } }; } };",
        "var driver = null; function decodeUplink(i) { return { data: { n: i.bytes[0] } }; }",
    ],
)
def test_drivers(bench: Bench, text: str) -> None:
    bench.add("driver.js", text)
    for first in (3, 4):
        assert bench.values("driver.js", bytes([first])) == {"n": first}


@pytest.mark.parametrize(
    ("name", "payload"), [("older.js", b"\x04\x09\x01"), ("oldest.js", b"\x09\x04"), ("package.js", b"\x09")]
)
def test_encoders(bench: Bench, name: str, payload: bytes) -> None:
    bench.add(name, CALLS[name])
    job = Job(name, name, b"", 4, call="encode", extra='{"data":{"a":9}}')
    assert bench.engine.decode(job) == Encoded(payload)
    assert "the script has no decodeUplink" in bench.refusal(name).detail


def test_extra_input_and_context(bench: Bench) -> None:
    bench.add(
        "extra.js", "function decodeUplink(i) { return { data: { n: context.length, thing: i.thing ?? null } }; }"
    )
    more = '{"thing":"t","context":[1,2]}'
    for extra, count, thing in (("", 0, None), (more, 2, "t"), ("", 0, None)):
        made = bench.engine.decode(Job("extra.js", "extra.js", b"", 1, extra=extra))
        assert isinstance(made, Decoded)
        assert made.fields == {"n": Value(count), "thing": Value(thing)}


def test_base64_functions(bench: Bench) -> None:
    bench.add(
        "base64.js",
        """function attempt(f, text) { try { return f(text); } catch (e) { return e.name; } }
        function decodeUplink() { return { data: {
          a: atob("AP9 /"), b: atob("YQ=="), c: atob("YQ"), d: attempt(atob, "Y"), e: attempt(atob, "Y-=="),
          f: btoa("\\u0000\\u00ffa"), g: attempt(btoa, "\\u20ac"), h: attempt(atob, "YQ=") } }; }""",
    )
    wrong = "InvalidCharacterError"
    assert bench.values("base64.js") == {
        "a": "\x00\xff\x7f", "b": "a", "c": "a", "d": wrong, "e": wrong, "f": "AP9h", "g": wrong, "h": wrong
    }  # fmt: skip


def test_buffer_module_has_base64(bench: Bench) -> None:
    bench.add(
        "own.js",
        "const { atob, btoa } = require('node:buffer'); function Decoder() { return { a: atob(btoa('abc')) }; }",
    )
    assert bench.values("own.js") == {"a": "abc"}
