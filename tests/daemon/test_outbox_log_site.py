"""A store belongs to one site for life: its records' ids begin with it."""

from pathlib import Path

import pytest

from torhaus.daemon.outbox.log import Log
from torhaus.daemon.outbox.migrate import RefusedError


def test_the_store_of_another_site_is_refused_and_left_alone(tmp_path: Path) -> None:
    Log(tmp_path, "town-hall", max_bytes=1 << 24, max_age_ns=0, now_ns=1).close()
    with pytest.raises(RefusedError, match="town-hall"):
        Log(tmp_path, "library", max_bytes=1 << 24, max_age_ns=0, now_ns=1)
    log = Log(tmp_path, "town-hall", max_bytes=1 << 24, max_age_ns=0, now_ns=1)
    assert not log.set_aside
    log.close()
