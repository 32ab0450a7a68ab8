"""Stamps beside a journal's roots, or in an export, compared with what was stamped.

Only the standard library: this file is part of what `torhaus evidence verifier` prints for other machines.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from typing import Any

from torhaus.daemon.evidence.chain import Fault
from torhaus.daemon.evidence.proofs import canonical, sha256
from torhaus.daemon.evidence.stamp import Said, read_stamp

Judge = Callable[[bytes, str], "str | None"]  # in quotes: Python 3.9 works it out at once
"""Whether a stamp (DER) with this imprint leads to an authority that is trusted: None, or what is wrong."""


def stamp_line(root: int, response: bytes) -> bytes:
    """As a journal's lines have it."""
    return b'{"stamp":{"response":"%s","root":%d}}\n' % (base64.b64encode(response), root)


def parse_stamp_line(said: Any) -> tuple[int, bytes]:  # noqa: ANN401 - whatever was in the file
    """Root and stamp. Raises ValueError, KeyError, TypeError."""
    if type(said["root"]) is not int:
        raise ValueError("no root")
    return said["root"], base64.b64decode(said["response"], validate=True)


def check_stamps(
    stamps: dict[int, bytes],
    roots: Iterable[dict[str, Any]],
    entered: dict[int, str],
    first: int,
    judge: Judge | None = None,
) -> tuple[list[Fault], list[str]]:
    """Faults and facts. `entered`: by root, the SHA-256 that an entry says of its stamp; `first`: the first entry."""
    facts, times = [], []
    gone = sorted(seq for seq in entered if seq >= first and seq not in stamps)
    faults = [Fault(seq, "stamp", f"root {seq} was stamped, and its stamp is not there") for seq in gone]
    by_seq = {root["seq"]: root for root in roots}
    for seq, response in sorted(stamps.items()):
        if seq not in by_seq:
            faults.append(Fault(seq, "stamp", f"there is a stamp of root {seq}, and no such root"))
        elif entered.get(seq) != sha256(response):
            faults.append(Fault(seq, "stamp", f"the stamp of root {seq} is not the one that the journal says it got"))
        else:
            said, wrong = check_stamp(response, canonical(by_seq[seq]), judge)
            if said is None:
                faults.append(Fault(seq, "stamp", f"the stamp of root {seq} {wrong}"))
            else:
                times.append(said.at)
    if times:
        count = f"{len(times)} of {len(by_seq)} roots have time stamps, the last one of {time_text(max(times))}"
        facts.append(f"{count}; {'their authority is trusted' if judge else NOT_JUDGED}")
    return faults, facts


NOT_JUDGED = "who stamped was not checked here: openssl ts -verify -data ROOT.json -in ROOT.tsr -CAfile CA.pem"


def check_stamp(response: bytes, about: bytes, judge: Judge | None = None) -> tuple[Said | None, str]:
    """What it says if it is about these bytes; else what is wrong."""
    try:
        said = read_stamp(response)
    except (ValueError, IndexError) as error:
        return None, f"cannot be read: {error}"
    if said.imprint != sha256(about):
        return None, "is about something else"
    wrong = judge(response, said.imprint) if judge is not None else None
    return (said, "") if wrong is None else (None, f"is not good: {wrong}")


def time_text(at_ns: int) -> str:
    """UTC."""
    return datetime.fromtimestamp(at_ns // 10**9, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")  # noqa: UP017 - Python 3.9


def check_export_stamps(files: dict[str, bytes], roots: dict[int, dict[str, Any]]) -> tuple[list[Fault], list[str]]:
    """Of `root-<number>.json` and `root-<number>.tsr`, the pairs that `openssl ts` takes."""
    faults, facts = [], []
    for seq, root in sorted(roots.items()):
        about, response = files.get(f"root-{seq}.json"), files.get(f"root-{seq}.tsr")
        if response is None:
            facts.append(f"root {seq} has no time stamp (yet)")
            continue
        said, wrong = check_stamp(response, canonical(root))
        if said is None or about != canonical(root):
            faults.append(Fault(seq, "stamp", f"the stamp of root {seq} {wrong or 'lies beside another root'}"))
        else:
            more = f"openssl ts -verify -data root-{seq}.json -in root-{seq}.tsr -CAfile CA.pem"
            facts.append(f"root {seq} was stamped {time_text(said.at)}; by whom: {more}")
    return faults, (facts if any(name.endswith(".tsr") for name in files) else [])
