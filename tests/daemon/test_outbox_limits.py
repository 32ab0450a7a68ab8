from pathlib import Path

from torhaus.daemon.outbox.limits import Limits


def test_each_log_with_its_own(tmp_path: Path) -> None:
    limits = Limits(max_bytes=3, max_records=4, strangers_max_bytes=2, relay_max_bytes=1)
    two = [("main", 3, 4), ("strangers", 2, 0)]
    assert limits.logs(tmp_path) == two
    assert Limits(relay=True).logs(tmp_path)[2] == ("relay", 256 << 20, 0)
    (tmp_path / "relay").mkdir()
    assert limits.logs(tmp_path) == [*two, ("relay", 1, 0)]
