"""What it costs that somebody looks: views of the web page, after every device has been heard."""

import urllib.request

from bench.scenario import BenchError, Figures
from bench.scenarios.idle import all_heard, looked

PART = "X-Torhaus-Part"
"""With it a page looks at itself anew, as it does every few seconds while it is open."""


def view(path: str, devices: int, looks: int = 50) -> Figures:
    """One view: the first look, which loads what is behind it and searches the log, and those after it."""
    with all_heard(devices) as daemon:
        url, rss_before = f"http://127.0.0.1:{daemon.http}{path}", daemon.rss_mib()
        before = daemon.usage()
        _look(url, {})
        first = daemon.usage().since(before)
        return {
            **looked("view", daemon, lambda: _look(url, {PART: "main"}), looks),
            "first_cpu_ms": first.cpu_s * 1e3,
            "grown_mib": daemon.rss_mib() - rss_before,
        }


def _look(url: str, headers: dict[str, str]) -> int:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
        text: bytes = answer.read()
        if answer.status != 200 or b"<h1>" not in text:
            raise BenchError(f"{url}: {answer.status}")
        return len(text)
