"""Every pending record gets one verdict, in order, whatever the host takes and when."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.daemon.feeder_fakes import Bench, go, numbers
from tests.daemon.home import until
from torhaus.codecs.model import Value
from torhaus.codecs.registry import load as load_codec
from torhaus.daemon.clock import SystemClock
from torhaus.daemon.lora.network import Device
from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.scripts import feeder as module
from torhaus.daemon.scripts.host import ScriptHost


def test_verdicts_in_order_and_counted(tmp_path: Path) -> None:
    async def body(b: Bench) -> None:
        await b.put([*numbers(20), b"bad"])
        await b.until_decided(21)

    b = go(tmp_path, body)
    assert b.order == b.host.seen == list(range(21))
    assert [b.verdicts[i].fields for i in range(20)] == [{"n": Value(i)} for i in range(20)]
    assert [i for i, verdict in b.verdicts.items() if verdict.alarm] == [7]
    assert (b.verdicts[20].kind, b.verdicts[20].reason, b.verdicts[20].detail) == ("frame", "script_error", "no")
    assert b.watch.readings["script"] == 20
    assert b.watch.rejects["x", "script", "script_error"] == 1
    assert b.watch.script_warnings == 1
    assert list(b.outbox.undecoded) == []


def test_after_a_restart_the_rest_is_found_on_disk(tmp_path: Path) -> None:
    async def first(b: Bench) -> None:
        await b.put(numbers(30))
        await until(lambda: b.host.waiting)
        b.host.answer()
        await b.until_decided(4, keep_answering=False)

    assert go(tmp_path, first).order == [0, 1, 2, 3]

    async def second(b: Bench) -> None:
        await b.put(numbers(5, 30))  # new ones wait for those that were first
        await b.until_decided(31)

    assert go(tmp_path, second).order == list(range(4, 35))

    async def third(b: Bench) -> None:
        await until(lambda: b.outbox.scanned_to == module.SCANNED)

    assert go(tmp_path, third).host.seen == []


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1 << 30))
def test_nothing_is_forgotten_or_decoded_twice(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    """Bursts beyond every bound, a host that takes few and answers some, restarts in between."""
    rng = random.Random(seed)
    folder = tmp_path_factory.mktemp("store")
    put = decided = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "QUEUE_RECORDS", 5)
        patch.setattr(module, "MINE_RECORDS", 9)
        patch.setattr(module, "READ_RECORDS", 3)
        for last in (False, False, True):

            async def body(b: Bench, last: bool = last, before: int = decided) -> None:
                nonlocal put
                for _ in range(rng.randrange(1, 8)):
                    burst = rng.randrange(0, 12)
                    if burst:
                        await b.put(numbers(burst, put))
                        put += burst
                    for _ in range(rng.randrange(4)):
                        b.host.answer(rng.randrange(5))
                        await asyncio.sleep(0)
                if last:
                    await b.until_decided(put - before)
                else:
                    for _ in range(rng.randrange(10)):
                        b.host.answer(2)
                        await asyncio.sleep(0.001)

            b = go(folder, body, room=rng.randrange(1, 6))
            assert b.host.twice == []
            assert b.order == list(range(decided, decided + len(b.order)))
            assert all(b.verdicts[pos].fields == {"n": Value(pos)} for pos in b.order)
            decided += len(b.order)
    assert decided == put


def test_memory_is_bounded_while_verdicts_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUEUE_RECORDS", 5)
    monkeypatch.setattr(module, "MINE_RECORDS", 20)

    async def body(b: Bench) -> None:
        written = b.outbox.put_verdict
        kept: list[Any] = []
        b.outbox.put_verdict = lambda *args: kept.append(args)
        for n in range(0, 100, 10):
            await b.put(numbers(10, n))
        for _ in range(200):
            b.host.answer()
            await asyncio.sleep(0.001)
        assert 20 <= len(kept) <= 20 + module.READ_RECORDS
        b.outbox.put_verdict = written
        for args in kept:
            written(*args)
        await b.until_decided(100)

    assert go(tmp_path, body, room=50).order == list(range(100))


def test_what_was_passed_by_and_is_gone_does_not_keep_it_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUEUE_RECORDS", 2)

    async def body(b: Bench) -> None:
        await until(lambda: b.outbox.scanned_to == module.SCANNED)
        reads = 0

        async def nothing(pos: int, max_records: int) -> list[Stored]:
            nonlocal reads
            reads += 1
            return []  # as when a limit dropped them, or the card lost them

        sound = b.outbox.pending
        b.outbox.pending = nothing  # type: ignore[method-assign]
        await b.put(numbers(10))
        for _ in range(50):
            b.host.answer()
            await asyncio.sleep(0.001)
        assert 1 <= reads <= 3
        b.outbox.pending = sound  # type: ignore[method-assign]
        await b.put(numbers(1, 10))  # and it goes on
        await b.until_decided(3)

    go(tmp_path, body)


def test_devices_that_were_changed_or_removed(tmp_path: Path) -> None:
    devices = [
        Device("native", codec="cayenne_lpp"),
        Device("broken", codec="cayenne_lpp"),
        Device("none"),
        Device("unread", script="/decoders/unread.js"),
    ]

    async def body(b: Bench) -> None:
        codec = load_codec("cayenne_lpp")

        def with_a_defect(payload: bytes, fport: int | None) -> Any:
            return codec(payload, fport) if payload else 1 // 0

        b.feeder._codec = lambda _: with_a_defect
        for device, payload in (
            ("native", bytes.fromhex("01670110")),
            ("native", b"\x01"),
            ("broken", b""),
            ("none", b"1"),
            ("gone", b"1"),
            ("unread", b"1"),
            ("native", bytes.fromhex("01670110")),
        ):
            await b.put([payload], device)
        await b.until_decided(7)

    b = go(tmp_path, body, devices=devices)
    assert b.order == list(range(7))
    assert b.verdicts[0].fields == b.verdicts[6].fields == {"temperature_1": Value(27.2, "Cel")}
    assert [b.verdicts[i].reason for i in range(1, 6)] == [
        "short",
        "defect",
        "unknown_device",
        "unknown_device",
        "script_error",
    ]
    assert b.watch.defects == {"codec cayenne_lpp": 1}
    assert b.host.seen == []


def test_a_log_that_cannot_be_read_just_now(tmp_path: Path) -> None:
    import sqlite3

    async def first(b: Bench) -> None:
        await b.put(numbers(3))

    go(tmp_path, first, room=0)

    async def second(b: Bench) -> None:
        sound, tries = b.outbox.pending, 0

        async def pending(pos: int, max_records: int) -> list[Stored]:
            nonlocal tries
            tries += 1
            if tries < 4:
                raise sqlite3.OperationalError("unable to open database file")
            return await sound(pos, max_records)

        b.outbox.pending = pending  # type: ignore[method-assign]
        await b.until_decided(3)

    assert go(tmp_path, second).order == [0, 1, 2]


def test_scripts_are_read_as_editors_wrote_them(tmp_path: Path) -> None:
    old = tmp_path / "old.js"
    old.write_bytes("// °C".encode("cp1252"))

    async def body(b: Bench) -> None:
        b.feeder.register(str(old))
        assert b.feeder._hashes[str(old)] == "hash of // °C"
        with pytest.raises(FileNotFoundError):
            b.feeder.register(str(tmp_path / "none.js"))
        big = tmp_path / "big.js"
        big.write_bytes(b"/" * ((1 << 20) + 1))
        with pytest.raises(ValueError, match="larger than"):
            b.feeder.register(str(big))

    go(tmp_path / "store", body)


def test_with_the_real_process(tmp_path: Path) -> None:
    script = tmp_path / "double.js"
    script.write_text("function decodeUplink(i) { return {data: {n: 2 * i.bytes[0]}, warnings: ['w', 'x']}; }")

    async def main() -> None:
        bench = Bench(tmp_path / "store", [Device("boiler", script=str(script))])
        bench.host = ScriptHost(SystemClock())  # type: ignore[assignment]
        async with bench, asyncio.TaskGroup() as group:
            bench.feeder.register(str(script))
            running = group.create_task(bench.host.run())  # type: ignore[attr-defined]
            await bench.put([bytes([n]) for n in range(50)])
            await bench.until_decided(50, keep_answering=False)
            running.cancel()
        assert [bench.verdicts[n].fields for n in range(50)] == [{"n": Value(2 * n)} for n in range(50)]
        assert bench.watch.script_warnings == 100

    asyncio.run(main())
