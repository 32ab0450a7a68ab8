import asyncio
from pathlib import Path

import pytest

from tests.drivers.fakes import advance, run
from torhaus.drivers.base import DriverGone
from torhaus.drivers.link import Link, open_link, parse_link

CAPTURE = "# three pieces\n0.000000 0102030405\n1.500000 06\n1.500000 07\n"


async def opened(tmp_path: Path, query: str = "", text: str = CAPTURE, idle_s: float = 0.0) -> Link:
    (tmp_path / "a.cap").write_text(text)
    return await open_link(parse_link(f"replay:{tmp_path}/a.cap{query}"), idle_s)


def test_as_fast_as_possible_and_then_it_is_over(tmp_path: Path) -> None:
    async def main() -> None:
        async with await opened(tmp_path) as link:
            assert [await link.read() for _ in range(3)] == [b"\1\2\3\4\5", b"\6", b"\7"]
            for _ in range(2):
                with pytest.raises(DriverGone, match=r"a\.cap: the capture has ended"):
                    await link.read()

    run(main())


def test_reads_are_bounded_and_what_is_written_goes_nowhere(tmp_path: Path) -> None:
    async def main() -> None:
        async with await opened(tmp_path) as link:
            await link.write(b"/?!\r\n")
            await link.set_baud(300)
            assert [await link.read(2) for _ in range(5)] == [b"\1\2", b"\3\4", b"\5", b"\6", b"\7"]

    run(main())


def test_again_and_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with await opened(tmp_path, "?loop=1") as link:
            assert b"".join([await link.read() for _ in range(9)]) == b"\1\2\3\4\5\6\7" * 3

    run(main())


def test_an_empty_capture_does_not_spin(tmp_path: Path) -> None:
    async def main() -> None:
        async with await opened(tmp_path, "?loop=1", "# nothing\n") as link:
            with pytest.raises(DriverGone, match="has ended"):
                await link.read()

    run(main())


@pytest.mark.parametrize(("speed", "pause_s"), [("1", 1.5), ("10", 0.15), ("0.5", 3.0)])
def test_at_the_pace_of_the_capture(tmp_path: Path, speed: str, pause_s: float) -> None:
    async def main() -> None:
        async with await opened(tmp_path, f"?speed={speed}") as link:
            assert await link.read() == b"\1\2\3\4\5"
            reading = asyncio.create_task(link.read())
            await advance(pause_s * 0.9)
            await advance(0)
            assert not reading.done()
            await advance(pause_s * 0.2)
            assert await reading == b"\6"
            assert await link.read() == b"\7"

    run(main())


def test_a_pause_of_the_capture_is_a_silence(tmp_path: Path) -> None:
    async def main() -> None:
        async with await opened(tmp_path, "?speed=1", idle_s=1) as link:
            await link.read()
            reading = asyncio.create_task(link.read())
            await advance(1.1)
            with pytest.raises(DriverGone, match="silent for 1 s"):
                await reading

    run(main())


def test_what_is_wrong_with_the_file_is_said(tmp_path: Path) -> None:
    async def main() -> None:
        async with await opened(tmp_path, text="0 00\nnonsense\n") as link:
            assert await link.read() == b"\0"
            with pytest.raises(DriverGone, match=r"a\.cap:2: not '<seconds> <hex>'"):
                await link.read()
        async with await open_link(parse_link(f"replay:{tmp_path}/none.cap")) as link:
            with pytest.raises(DriverGone, match=r"none\.cap: No such file or directory"):
                await link.read()

    run(main())


def test_closed_is_closed(tmp_path: Path) -> None:
    async def main() -> None:
        link = await opened(tmp_path)
        await link.read(1)
        await link.close()
        await link.close()
        with pytest.raises(DriverGone, match="closed"):
            await link.read()
        with pytest.raises(DriverGone, match="closed"):
            await link.read()

    run(main())
