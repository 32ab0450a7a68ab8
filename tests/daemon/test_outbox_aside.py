from pathlib import Path

from torhaus.daemon.outbox import aside
from torhaus.daemon.outbox.aside import Report

NAME = f"{7:020d}.db.corrupt-17"


def report(**values: object) -> Report:
    return Report(**{"first": 7, "site": "rathaus", "store": "ab", "step": -5} | values)  # type: ignore[arg-type]


def test_a_report_says_how_many_and_which() -> None:
    text = report(salvaged=9, lost_records=4, lost=[(7, 8), (10, 13)]).text()
    assert text == "9 records salvaged, 4 lost: rathaus/ab/2-2, rathaus/ab/5-7"
    assert report(salvaged=3).text() == "3 records salvaged, none lost"
    open_end = report(salvaged=3, is_end_known=False).text()
    assert open_end == "3 records salvaged, none known to be lost; whether more followed cannot be told"
    gone = report(store="", step=0, lost_records=2, lost=[(7, 9)], problem="it is gone").text()
    assert gone == "could not be salvaged (it is gone): 2 lost: rathaus/?/7-8"
    many = report(lost_records=9, lost=[(n * 2, n * 2 + 1) for n in range(5, 14)]).text()
    assert many.endswith("rathaus/ab/13-13, and 4 more ranges")


def test_a_file_waits_until_there_is_a_report_beside_it(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"x")
    (tmp_path / f"{NAME}.1").write_bytes(b"x")
    (tmp_path / f"{NAME}-wal").write_bytes(b"x")
    (tmp_path / "state.db.corrupt-17").write_bytes(b"x")
    assert aside.files(tmp_path) == {7: [tmp_path / NAME, tmp_path / f"{NAME}.1"]}
    assert aside.waiting(tmp_path) == (7,)
    assert aside.reports(tmp_path) == []
    aside.write_reports(tmp_path, report(at_ns=1))
    assert aside.waiting(tmp_path) == ()
    assert aside.reports(tmp_path) == [report(at_ns=1)]
    (tmp_path / f"{NAME}.2").write_bytes(b"x")
    assert aside.waiting(tmp_path) == (7,)
    aside.write_reports(tmp_path, report(at_ns=2))
    assert aside.reports(tmp_path) == [report(at_ns=2)]
    for path in tmp_path.glob(f"{NAME}*"):
        path.unlink()
    assert aside.reports(tmp_path) == []


def test_a_changed_report_is_none(tmp_path: Path) -> None:
    path = tmp_path / f"{NAME}.report"
    data = aside.seal(report(lost=[(7, 9)]))
    assert aside.unseal(data) == report(lost=[(7, 9)])
    for i in range(len(data) - 1):
        assert aside.unseal(data[:i] + bytes([data[i] ^ 1]) + data[i + 1 :]) is None
        assert aside.unseal(data[:i]) is None
    path.write_bytes(b"")
    assert aside.read_report(path) is None
    assert aside.read_report(tmp_path / "none") is None
    (tmp_path / NAME).write_bytes(b"x")
    assert aside.waiting(tmp_path) == ()
    assert aside.reports(tmp_path) == []


def test_a_small_file_is_written_whole_and_for_us_alone(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    aside.write_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_a_file_that_no_salvage_made_has_no_report_in_it(tmp_path: Path) -> None:
    assert aside.report_in(tmp_path / "none") is None
    (tmp_path / "junk").write_bytes(b"junk" * 2000)
    assert aside.report_in(tmp_path / "junk") is None
