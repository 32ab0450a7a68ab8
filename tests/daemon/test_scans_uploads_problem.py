"""Problems as they are answered."""

import json

from torhaus.daemon.scans.uploads.problem import CHECKSUM_MISMATCH, Problem, retry_later


def test_they_say_what_is_wrong_and_close_the_connection() -> None:
    found = Problem(CHECKSUM_MISMATCH, "again", {"X": "y"}).response()
    assert (found.status, found.reason, found.headers["X"]) == (460, "Checksum Mismatch", "y")
    assert found.keep_alive is False
    assert isinstance(found.body, bytes)
    assert json.loads(found.body) == {"title": "Checksum Mismatch", "status": 460, "detail": "again"}
    later = retry_later("busy", 3)
    assert (later.status, later.headers["Retry-After"], later.response().reason) == (503, "3", "Service Unavailable")
