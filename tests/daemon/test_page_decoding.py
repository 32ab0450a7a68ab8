import asyncio
from pathlib import Path

import pytest

from tests.daemon.page_scene import checked, home_of, visited
from torhaus.daemon.page.decoding import MAX_EXPLAINED, Busy, Decoding

ELSYS = bytes.fromhex("0100e202290400270506060308070d62")


def decoding(folder: Path) -> Decoding:
    return Decoding(home_of(folder).load())


def test_a_payload_byte_by_byte(tmp_path: Path) -> None:
    found = asyncio.run(decoding(tmp_path).payload("elsys", None, ELSYS))
    assert found.fields is not None
    assert found.fields["temperature"].value == 22.6
    assert found.stretches is not None
    assert [(s.start, s.end) for s in found.stretches if s.fields == ("temperature",)] == [(1, 3)]


def test_a_refusal_is_a_sentence(tmp_path: Path) -> None:
    it = decoding(tmp_path)
    assert asyncio.run(it.payload("elsys", None, b"\xff")).fault
    assert asyncio.run(it.frame(b"\x40", with_keys=False)).fault
    (tmp_path / "decoders" / "horn.js").unlink()
    assert "No such file" in asyncio.run(it.payload("horn.js", None, b"\1")).fault


def test_a_script_of_the_site(tmp_path: Path) -> None:
    found = asyncio.run(decoding(tmp_path).payload("horn.js", 1, b"\x07"))
    assert found.fields is not None
    assert found.fields["level"].value == 7
    assert found.stretches is not None
    assert found.stretches[0].fields == ("level",)


def test_what_may_be_named(tmp_path: Path) -> None:
    it = decoding(tmp_path)
    assert it.codecs()[:3] == ["cayenne_lpp", "elsys", "horn.js"]
    assert len(it.codecs()) == len(set(it.codecs()))
    assert all(it.is_known(c) for c in ("elsys", "horn.js", "cayenne_lpp"))
    assert not any(it.is_known(c) for c in ("", "../horn.js", "other.js", "/etc/passwd", "horn.toml"))


def test_what_is_too_long_is_decoded_and_not_explained(tmp_path: Path) -> None:
    data = bytes.fromhex("01670110") * (MAX_EXPLAINED // 4 + 1)
    found = asyncio.run(decoding(tmp_path).payload("cayenne_lpp", None, data))
    assert found.stretches is None


def test_one_at_a_time(tmp_path: Path) -> None:
    async def go() -> None:
        it = decoding(tmp_path)
        async with it._lock:
            with pytest.raises(Busy):
                await it.payload("elsys", None, ELSYS)
            with pytest.raises(Busy):
                await it.frame(b"\x40", with_keys=False)

    asyncio.run(go())


def test_on_the_page(tmp_path: Path) -> None:
    async def go() -> None:
        async with visited(home_of(tmp_path)) as visitor:
            _, text = await visitor.get(f"/decode?codec=elsys&data={ELSYS.hex()}")
            checked(text)
            assert "22,6 °C" in text
            assert "Byte 1–2" in text
            assert "bestimmt, was folgt" in text
            _, text = await visitor.get("/decode?device=meter&data=0167+0110", Accept_Language="en")
            assert "27.2 °C" in text
            _, text = await visitor.get("/decode?kind=frame&data=QCYBEjQAAwAFAQIDBAUGBw==")
            checked(text)
            assert "DevAddr" in text
            assert "FCnt" in text
            for odd in ("zz", "0"):
                assert "weder hexadezimal noch base64" in (await visitor.get(f"/decode?codec=elsys&data={odd}!"))[1]
            assert "gibt es hier nicht" in (await visitor.get("/decode?codec=../x.js&data=00"))[1]
            assert "Abgelehnt" in (await visitor.get("/decode?codec=elsys&data=ff"))[1]

    asyncio.run(go())
