import json
from pathlib import Path

import pytest

from tests.daemon.outbox_fakes import Box, reading, replace, with_box
from torhaus.daemon.outbox import aside
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.second import FILE, MAX_STORES, Copy, SecondCopy, read_copy
from torhaus.daemon.outbox.state import Flush, State
from torhaus.daemon.outbox.store import MAIN

MINUTE_NS = 60 * 10**9
KEY = ("mqtt", MAIN)


def test_it_says_what_is_settled_and_what_forwarders_keep_themselves(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        from tests.daemon.test_outbox_state import aside as kept

        box.flush.settled[KEY] = [(0, 4), (6, 8)]
        box.flush.set_aside[KEY] = [kept(2)]
        box.flush.dead[KEY] = [kept(3)]
        box.flush.boots["b"] = 17
        box.flush.snapshot[MAIN] = 5
        await box.store(reading(0))
        await box.save()

    with_box(work, lambda: Box(tmp_path))
    copy = read_copy(tmp_path)
    assert copy is not None
    assert copy.settled == [(*KEY, [(0, 4), (6, 8)])]
    assert copy.owned == [(*KEY, [(2, 4)])]
    assert (copy.boots, copy.snapshot[MAIN]) == ({"b": 17}, 5)
    assert {log: len(ids) for log, ids in copy.stores.items()} == {"main": 1, "strangers": 1}


def test_it_is_written_once_a_minute_at_most_and_only_when_something_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes: list[int] = []
    monkeypatch.setattr(aside, "write_file", lambda _, data: writes.append(len(data)))
    state = State(tmp_path / "state.db")
    it = SecondCopy(tmp_path)
    it.remember(Copy())
    for at, changed in (
        (0, False),
        (1, True),
        (2, True),
        (MINUTE_NS, True),
        (MINUTE_NS + 2, False),
        (9 * MINUTE_NS, False),
    ):
        it.write(state, at, changed=changed)
    assert len(writes) == 2
    it.write(state, 9 * MINUTE_NS + 1, changed=True)
    it.write(state, 9 * MINUTE_NS + 2, changed=True)
    it.write(state, 9 * MINUTE_NS + 3, changed=False, at_once=True)
    assert len(writes) == 4
    it.write(state, 20 * MINUTE_NS, changed=False, at_once=True)
    assert len(writes) == 4
    assert it.written == sum(writes)
    state.close()


def test_a_new_store_id_is_on_disk_at_once_and_all_are_remembered(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    it = SecondCopy(tmp_path)
    it.remember(None)
    for n in range(MAX_STORES + 3):
        it.use(MAIN, f"{n:08x}")
        it.use(MAIN, f"{n:08x}")
        it.write(state, 1, changed=False)
    copy = read_copy(tmp_path)
    assert copy is not None
    assert copy.stores == {MAIN: [f"{n:08x}" for n in range(3, MAX_STORES + 3)]}
    again = SecondCopy(tmp_path)
    again.remember(copy)
    assert again.stores == copy.stores
    state.close()


def test_a_changed_one_is_none(tmp_path: Path) -> None:
    path = tmp_path / FILE
    assert read_copy(tmp_path) is None
    data = aside.sealed(b'{"settled": [["mqtt", "main", [[0, 5]]]]}')
    path.write_bytes(data)
    assert read_copy(tmp_path) == Copy(settled=[(*KEY, [(0, 5)])])
    for i in range(len(data) - 1):
        path.write_bytes(data[:i] + bytes([data[i] ^ 2]) + data[i + 1 :])
        assert read_copy(tmp_path) is None
    for body in (b"[]", b"{", json.dumps({"settled": [["mqtt", "main", [["0", 5]]]]}).encode()):
        path.write_bytes(aside.sealed(body))
        assert read_copy(tmp_path) is None


def test_one_that_cannot_be_written_is_a_problem_that_is_shown_and_no_more(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    it = SecondCopy(tmp_path / "none")
    problems = []
    for at in (0, 10, MINUTE_NS):
        it.write(state, at, changed=at == 0)
        problems.append(it.problem or "")
        (tmp_path / "none").mkdir(exist_ok=True)
    assert ["No such file" in p for p in problems] == [True, True, False]
    assert problems[2] == ""
    state.close()


def test_it_is_no_part_of_what_must_be_saved(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        def broken(*_: object, **__: object) -> None:
            box.second.problem = "no"

        replace(box.second, "write", broken)
        box.flush.settled[KEY] = [(0, 1)]
        await box.save()
        assert await box.on_state(lambda s: s.settled(*KEY)) == Ranges([(0, 1)])
        assert (box.failing, Flush()) == (None, box.flush)

    with_box(work, lambda: Box(tmp_path))
