from torhaus.codecs.layout.compact import field, parse, row
from torhaus.codecs.layout.field import run
from torhaus.codecs.model import Fields, Value


def test_a_line_says_all_of_a_field() -> None:
    f = parse("level u16 @3 0:14 *2 /1000 -1 .2 ?0x3fff le m")
    assert (f.name, f.type, f.at, f.bits, f.multiply, f.divide) == ("level", "u16", 3, (0, 14), 2, 1000)
    assert (f.add, f.decimals, f.absent, f.endian, f.unit) == (-1, 2, (0x3FFF,), "little", "m")
    assert parse("id hex4").size == 4
    assert parse("rest hex").size is None
    assert parse("flag = 7:1").type is None
    assert parse("speed u8 /10 m/s").unit == "m/s"


def test_what_a_line_cannot_say() -> None:
    out: Fields = {}
    steps = row(
        field("state u8", {0: "off"}, otherwise="on"),
        field("version u16", convert=lambda raw: f"{raw >> 8}.{raw & 255}"),
        field("pair u8 %", makes=lambda raw: {"low": raw & 15, "word": "high"}),
        field("more u8", when={"state": ["on"]}),
        endian="little",
    )
    assert run(steps, b"\x01\x02\x01\x23\x09", 0, out) == 5
    assert out == {
        "state": Value("on"),
        "version": Value("1.2"),
        "low": Value(3, "%"),
        "word": Value("high"),
        "more": Value(9),
    }
