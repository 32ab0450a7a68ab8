"""What a verification came to, and the lines of which journals and exports are made.

Only the standard library: this file is part of what `torhaus evidence verifier` prints for other machines.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from torhaus.daemon.evidence.chain import Chain, Fault
from torhaus.daemon.evidence.proofs import canonical

LINE = re.compile(
    rb'\{"entry":(.*),"hash":"([0-9a-f]{64})"(?:,"index":([0-9]{1,18}),"path":(\[[^\]]*\]),"root":([0-9]{1,18}))?\}'
)


class Report:
    """What a verification came to."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.facts: list[str] = []
        self.chain: Chain | None = None

    @property
    def entries(self) -> int:
        """How many were read."""
        return self.chain.count if self.chain is not None else 0

    @property
    def last_hash(self) -> str:
        """Of the last entry, hex."""
        return self.chain.last_hash if self.chain is not None else ""

    def wrong(self, what: str, text: str) -> None:
        """Something that belongs to no entry in particular."""
        self.faults.append(Fault(0, what, text))


def parsed(text: bytes | str) -> Any:  # noqa: ANN401 - whatever was in the file
    """JSON. Raises ValueError, whatever is wrong with it."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("JSON that is nested too deeply") from None


def is_signed(each: Any) -> bool:  # noqa: ANN401 - whatever was in the file
    """Whether it has the members of a head or a root, each of its own type, and can be hashed again."""
    if not isinstance(each, dict) or not {"seq", "hash", "key", "signature"} <= set(each):
        return False
    if "last" in each and "first" not in each:
        return False
    try:
        canonical(each)
    except (ValueError, RecursionError):  # half a surrogate pair, or nested too deeply
        return False
    numbers = [each[name] for name in ("seq", "first", "last") if name in each]
    return all(type(n) is int and 0 <= n < 1 << 62 for n in numbers) and isinstance(each["hash"], str)


def showable(text: str) -> str:
    """What was in a file must not steer a terminal, and every terminal must be able to show it."""
    shown = "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text)
    return shown.encode("ascii", "backslashreplace").decode()


def say(report: Report, *, trusted: bool) -> int:
    """Print it; the exit code."""
    out = [f"{fault.text}  [{fault.what}]" for fault in report.faults]
    out += report.facts
    if not trusted:
        out.append("the key was taken from the file itself: compare it with the one that was written down")
    out.append("NOT PROVED" if report.faults else "proved")
    sys.stdout.write("".join(showable(line) + "\n" for line in out))
    return 1 if report.faults else 0
