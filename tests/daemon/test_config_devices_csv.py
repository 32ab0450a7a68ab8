import contextlib

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.daemon.config.device_keys import KEYS
from torhaus.daemon.config.devices import DeviceConfig
from torhaus.daemon.config.devices_csv import has_no_cell, read_csv, read_keys_text, write_csv
from torhaus.daemon.config.document import ConfigFaults

KEY = "00112233445566778899aabbccddeeff"


def faults_of(text: str | bytes) -> list[str]:
    with pytest.raises(ConfigFaults) as caught:
        read_csv(text if isinstance(text, bytes) else text.encode(), "x.csv")
    return [str(f) for f in caught.value.faults]


def test_a_list_as_a_spreadsheet_saves_it() -> None:
    text = "sep=;\r\nName;DevEUI;Dev Addr;codec;Ort;\r\n".replace("Ort", "place") + (
        'Büro "Süd";A8-17-58-FF-FE-03-12-AB;;elsys;"1. OG\r\nlinks";\r\n;;;;;\r\n\r\nb;;26011234;;;\r\n'
    ).replace('Büro "Süd"', '"Büro ""Süd"""')
    for encoding in ("utf-8-sig", "utf-8", "cp1252"):
        first, second = read_csv(text.encode(encoding), "x.csv")
        assert first.table == {
            "name": 'Büro "Süd"',
            "dev_eui": "A8-17-58-FF-FE-03-12-AB",
            "codec": "elsys",
            "place": "1. OG\r\nlinks",
        }
        assert (first.line, second.line) == (3, 7)
        assert second.table == {"name": "b", "dev_addr": "26011234"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_keys_tags_and_flags(delimiter: str) -> None:
    text = "name,dev_eui,tags,allow_fcnt_reset,NwkSKey,appSKey\na,0011223344556677,x|y z,ja,K,K\n".replace(
        ",", delimiter
    )
    (new,) = read_csv(
        text.replace("K\n", KEY + "\n").replace("ja" + delimiter + "K", "ja" + delimiter + KEY).encode(), "x"
    )
    assert new.table == {"name": "a", "dev_eui": "0011223344556677", "tags": ["x", "y z"], "allow_fcnt_reset": True}
    assert new.keys == {"nwk_s_key": KEY, "app_s_key": KEY}
    assert KEY not in repr(new)


def test_every_fault_with_its_line() -> None:
    assert faults_of(
        f'name,dev_eui,allow_half_mic,app_key\na,"1,23E+15",,\nb,,perhaps,\nc,1,2,3,4,5\n\nd,,,{KEY}\n'
    ) == [
        (
            'x.csv:2: dev_eui: is "1,23E+15": a spreadsheet made a number of it; '
            "format the column as text and enter it again"
        ),
        'x.csv:3: allow_half_mic: is "perhaps", must be true or false',
        "x.csv:4: row: has 6 cells, but the header has 4",
        "x.csv:6: dev_eui: is missing: the row has keys",
    ]


def test_headers() -> None:
    columns = [name for name in (*DeviceConfig.__struct_encode_fields__, *KEYS) if name != "counters"]
    assert faults_of("nam,dev_eui,dev_eui\n") == [
        'x.csv:1: "nam": is no column that torhaus knows (did you mean "name"?)',
        "x.csv:1: dev_eui: is there twice",
        f"x.csv:1: name: is missing (the columns are {', '.join(columns)})",
    ]
    assert KEY not in str(faults_of(f"a,{KEY}\n"))  # a file without a header
    assert faults_of("") == ["x.csv:1: file: is empty, must have a header row such as name,dev_eui,codec"]
    assert read_csv(b"name\n", "x") == []


def test_what_is_no_csv() -> None:
    assert faults_of('name,place\na,"b\n') == ["x.csv:2: row: is no CSV: unexpected end of data"]
    assert faults_of("\ufeffname\n".encode("utf-16-le")) == ["x.csv:1: file: is UTF-16, must be saved as CSV UTF-8"]
    assert "is no CSV" in faults_of(b"name\n" + b"x" * 200_000)[0]


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=80), st.text(alphabet='name;,\n\r"\t1=\0', max_size=60).map(str.encode)))
def test_anything_is_devices_or_faults(raw: bytes) -> None:
    for data in (raw, b"name,dev_eui,app_key\n" + raw):
        with contextlib.suppress(ConfigFaults):
            assert all(new.line >= 1 for new in read_csv(data, "x"))


def test_keys_from_lines() -> None:
    assert read_keys_text(f'# of a\n nwk_s_key = "{KEY}" # x\r\nAppSKey={KEY}\n', "-") == {
        "nwk_s_key": KEY,
        "app_s_key": KEY,
    }


@pytest.mark.parametrize(
    "text", ["", f"{KEY}", f"nwk_s_key {KEY}", f"x = {KEY}", f"app_key = {KEY}\napp_key = {KEY}", f"dev_eui = {KEY}"]
)
def test_what_is_no_key_is_not_shown(text: str) -> None:
    with pytest.raises(ConfigFaults) as caught:
        read_keys_text(text, "-")
    assert KEY not in str(caught.value)


def test_what_is_written_is_read_again() -> None:
    one = DeviceConfig(
        name="a",
        dev_eui="70b3d57ed0000042",
        codec="elsys",
        fports=(5, 6),
        interval_s=600,
        tags=("x", "y"),
        lorawan="1.1",
        allow_fcnt_reset=True,
        device_class="C",
        adr="off",
    )
    (new,) = read_csv(write_csv([one]).encode(), "x.csv")
    assert msgspec.convert(new.table, DeviceConfig) == one
    assert has_no_cell([one]) == []
    (new,) = read_csv(b"name;fports;interval_s\na;5,x;1,5\n", "x.csv")
    assert new.table == {"name": "a", "fports": [5, "x"], "interval_s": 1.5}
