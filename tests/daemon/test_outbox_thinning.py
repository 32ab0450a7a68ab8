"""One segment made thinner: which records are left, what they keep, and what a crash leaves."""

import contextlib
import os
import sqlite3
from pathlib import Path

import pytest

from tests.daemon.outbox_fakes import AT, copy_of, open_log, pending, read_all, reading
from torhaus.codecs.model import Stamp, Value
from torhaus.daemon.outbox import migrate
from torhaus.daemon.outbox.folder import MARK, WORKSHOP
from torhaus.daemon.outbox.log import Log
from torhaus.daemon.outbox.record import Damaged, Record, Stored, Verdict, pack_kept
from torhaus.daemon.outbox.segment import path_of
from torhaus.daemon.outbox.thinning import Thinned, choose, rewrite, swap


def of(device: str | None, n: int, *, kind: str = "reading", alarm: bool = False) -> Record:
    record = Record("reading", "gw", device, fields={"n": Value(n)}, alarm=alarm)
    record.kind = kind  # type: ignore[assignment]
    return record


def filled(folder: Path, *rows: list[Record], boots: tuple[str, ...] = ("boot",)) -> Log:
    """A log with one closed segment of these rows, and an empty one."""
    log = open_log(folder)
    for i, row in enumerate(rows):
        log.append([(Stamp(AT.wall_ns + i, AT.boot_ns + i, i % 2 == 0), r) for r in row], boots[i % len(boots)])
    log.segment_bytes = 1
    assert log.roll(AT.wall_ns)
    return log


def thin(log: Log, first: int = 0, every: int = 2) -> Thinned:
    """All the steps, as the thinner takes them."""
    end = next(s for s in log.segments if s > first)
    hole = log.holes.gap(first, end)
    assert hole is not None
    assert log.let_go(first)
    made = rewrite(log.folder, first, hole[1], end, every)
    assert made is not None
    log.forget_reader(first)
    swap(log.folder, first)
    log.thinned(made)
    return made


def by_device(found: list[Stored | Damaged]) -> dict[str | None, list[int]]:
    out: dict[str | None, list[int]] = {}
    for r in found:
        assert isinstance(r, Stored), r
        assert r.record.fields is not None
        out.setdefault(r.record.device, []).append(int(r.record.fields["n"].value))  # type: ignore[arg-type]
    return out


def identity(r: Stored) -> tuple[object, ...]:
    return r.store, r.seq, r.boot, r.at, r.record


def test_every_second_of_each_device_and_all_alarms_and_events(tmp_path: Path) -> None:
    rows = []
    for n in range(100):
        rows.append([of("a", n), of("b", n), *([of("seldom", n)] if n % 50 == 0 else [])])
        rows.append([of(None, n), of("a", n, kind="event"), *([of("a", 1000 + n, alarm=True)] if n % 10 == 0 else [])])
    log = filled(tmp_path, *rows, boots=("one", "two", "three"))
    before = [r for r in read_all(log) if isinstance(r, Stored)]
    size = path_of(tmp_path, 0).stat().st_size
    made = thin(log)
    after = [r for r in read_all(log) if isinstance(r, Stored)]
    assert [r.pos for r in after] == list(range(made.kept))
    assert (len(after), made.removed) == (made.kept, len(before) - len(after))
    known = [identity(r) for r in before]
    places = [known.index(identity(r)) for r in after]  # ids, times, boots and content are as they were
    assert places == sorted(places)
    odd = list(range(1, 100, 2))
    readings = [r for r in after if r.record.kind == "reading" and not r.record.alarm]
    assert by_device([*readings]) == {"a": odd, "b": odd, "seldom": [50], None: list(range(100))}
    assert len([r for r in after if r.record.kind == "event"]) == 100
    assert [r.pos for r in after if r.record.alarm] == list(made.alarms) == log.alarms(0, 100)
    assert list(log.holes) == [(made.kept, log.tail)]
    assert log.records == made.kept
    assert path_of(tmp_path, 0).stat().st_size < size
    assert log.room.sizes[0] == path_of(tmp_path, 0).stat().st_size
    log.close()


def test_it_is_known_again_and_can_be_thinned_again(tmp_path: Path) -> None:
    log = filled(tmp_path, *([of("a", n), of("b", n)] for n in range(64)))
    for step in (2, 4, 8):
        made = thin(log)
        assert (made.step, made.kept) == (step, 128 // step)
        kept = by_device(read_all(log))
        assert kept == {"a": list(range(step - 1, 64, step)), "b": list(range(step - 1, 64, step))}
        holes = list(log.holes)
        log.close()
        log = open_log(tmp_path)
        assert (list(log.holes), log.steps, by_device(read_all(log))) == (holes, {0: step}, kept)
        log.segment_bytes = 1
    assert log.append([(AT, of("a", 64))], "boot")[0].seq == 128  # no number is given out again
    log.unlink_below(128)
    assert log.steps == {}
    log.close()


def test_what_scripts_said_is_kept(tmp_path: Path) -> None:
    log = filled(tmp_path, [pending(1) for _ in range(6)])
    log.add_verdicts([(n, Verdict({"x": Value(n)}, alarm=n == 2)) for n in range(5)])
    made = thin(log)
    found = [r for r in read_all(log) if isinstance(r, Stored)]
    assert [(r.seq, r.record.pending, r.record.kind) for r in found] == [
        (1, False, "reading"),
        (2, False, "reading"),
        (4, False, "reading"),
        (5, True, "frame"),  # its verdict was lost: it is decoded again
    ]
    assert [r.pos for r in log.pending(0, 10)] == [3]
    assert made.alarms == (1,)
    log.close()


def test_what_is_damaged_or_not_worth_it_stays(tmp_path: Path) -> None:
    log = filled(tmp_path, *([of(None, n)] for n in range(20)))
    assert rewrite(tmp_path, 0, 20, 20, 2) is None
    assert rewrite(tmp_path, 0, 0, 20, 2) is None
    log.close()
    with sqlite3.connect(path_of(tmp_path, 0)) as conn:
        conn.execute("UPDATE batch SET data = zeroblob(length(data)) WHERE first = 7")
    conn.close()
    with pytest.raises(migrate.SchemaError, match="damaged"):
        rewrite(tmp_path, 0, 20, 20, 2)
    with pytest.raises(migrate.SchemaError, match="damaged"):
        rewrite(tmp_path, 0, 30, 30, 2)
    assert not list((tmp_path / WORKSHOP).glob("*"))


def test_a_crash_leaves_the_whole_or_the_thin_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file operation of the swap fails once; what lies there is opened by a fresh start."""
    folder = tmp_path / "log"
    log = filled(folder, *([of("a", n)] for n in range(20)))
    made = rewrite(folder, 0, 20, 20, 2)
    assert made is not None
    log.forget_reader(0)
    log.close()
    left = set()
    for fatal in range(20):
        copy = copy_of(folder, tmp_path / f"copy{fatal}")
        done = 0

        def crash(fatal: int = fatal) -> bool:
            nonlocal done
            if done == fatal:
                raise OSError("crash")
            done += 1
            return False

        with monkeypatch.context() as m:
            for owner, name in ((Path, "touch"), (Path, "rename"), (Path, "unlink"), (migrate, "sync_folder")):
                real = getattr(owner, name)
                m.setattr(owner, name, lambda *a, _real=real, **k: crash() or _real(*a, **k))
            with contextlib.suppress(OSError):
                swap(copy, 0)
        again = open_log(copy)
        found = by_device(read_all(again))["a"]
        left.add(len(found))
        assert found in (list(range(20)), list(range(1, 20, 2)))
        assert (0 in again.steps) == (len(found) == 10)
        again.close()
        assert not list((copy / WORKSHOP).glob("*"))
    assert left == {20, 10}


def test_a_power_cut_while_it_is_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = filled(tmp_path, *([of("a", n)] for n in range(20)))
    with monkeypatch.context() as m:
        m.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(OSError, match="No space"):
            rewrite(tmp_path, 0, 20, 20, 2)
    assert len(read_all(log)) == 20
    log.close()
    assert not (tmp_path / MARK).exists()
    log = open_log(tmp_path)
    assert not list((tmp_path / WORKSHOP).glob("*"))
    assert len(read_all(log)) == 20
    log.close()


def test_what_does_not_come_back_is_not_put_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = filled(tmp_path, *([of("a", n)] for n in range(20)))
    monkeypatch.setattr("torhaus.daemon.outbox.thinning.pack_kept", lambda *a: pack_kept(*a)[:-1] + b"\xff")
    with pytest.raises(migrate.SchemaError, match="9 of 10"):
        rewrite(tmp_path, 0, 20, 20, 2)
    log.close()


def test_a_changed_description_of_the_thinning_is_not_believed(tmp_path: Path) -> None:
    log = filled(tmp_path, *([of("a", n)] for n in range(20)))
    thin(log)
    log.close()
    with sqlite3.connect(path_of(tmp_path, 0)) as conn:
        conn.execute("UPDATE thinned SET kept = 4")
    conn.close()
    log = open_log(tmp_path)
    assert log.steps == {}
    found = read_all(log)
    assert [isinstance(r, Damaged) for r in found] == [False] * 10 + [True]  # what is there is sent all the same
    log.close()


def test_a_row_of_a_thinned_segment_is_as_safe_as_any(tmp_path: Path) -> None:
    """A flipped bit anywhere in it costs records, and never changes one."""
    log = filled(tmp_path, [reading(n) for n in range(3)] * 4)
    thin(log)
    good = {identity(r)[1]: identity(r) for r in read_all(log) if isinstance(r, Stored)}
    log.close()
    conn = migrate.connect(path_of(tmp_path, 0))
    (data,) = conn.execute("SELECT data FROM batch").fetchone()
    for i in range(0, len(data) * 8, 7):
        flipped = bytearray(data)
        flipped[i // 8] ^= 1 << i % 8
        conn.execute("UPDATE batch SET data = ?", (bytes(flipped),))
        log = open_log(tmp_path)
        found = [r for r in read_all(log) if isinstance(r, Stored)]
        assert all(good[r.seq] == identity(r) for r in found)
        assert len(found) < len(good)
        log.close()
    conn.close()


def test_passes_go_from_the_oldest_and_leave_the_newer_half(tmp_path: Path) -> None:
    segments = tuple(range(0, 90, 10))
    sizes = dict.fromkeys(segments[:-1], 64)
    steps: dict[int, int] = {}
    order = []
    for _ in range(8):
        first = choose(segments, sizes, steps, 2, set())
        assert first is not None
        order.append(first)
        steps[first] = steps.get(first, 1) * 2
    assert order == [0, 10, 20, 30] * 2
    assert choose(segments, sizes, dict.fromkeys(segments, 64), 2, set()) is None
    assert choose(segments, sizes, {0: 64, 10: 64}, 2, set()) == 20
    assert choose(segments, sizes, {}, 2, {0, 10}) == 20
    assert choose((0,), {}, {}, 2, set()) is None
