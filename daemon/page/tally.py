"""What the page counts: plain numbers for the metrics. Names of views and codes are ours, never a visitor's."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the library of the metrics is loaded with the first scrape
    from prometheus_client.core import Metric


class PageTally:
    """One for a daemon."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str]] = Counter()  # view, code
        self.sign_ins: Counter[str] = Counter()  # ok, wrong, limited
        self.sessions = 0
        self.streams = 0

    def families(self) -> "Iterator[Metric]":
        """For the collector (metrics.py)."""
        from torhaus.daemon.families import by, count, gauge

        rows = self.requests.items()
        yield count("torhaus_page_requests", "Requests to the web page", ["view", "code"], rows)
        yield count("torhaus_page_sign_ins", "Tries to sign in, by what became of them", ["result"], by(self.sign_ins))
        yield gauge("torhaus_page_sessions", "Who is signed in", [], [((), self.sessions)])
        yield gauge("torhaus_page_streams", "Pages that show frames as they come", [], [((), self.streams)])
