"""The verifier for other machines: one file made of its modules, without what imports them from each other."""

import re
from pathlib import Path
from typing import Final

_PARTS: Final = ("verifier.py", "proofs.py", "chain.py", "stamp.py", "stamped.py", "report.py", "export_check.py")
_OURS: Final = re.compile(r"^from torhaus\.\S+ import (?:\([^)]*\)|[^\n(]*)\n", re.MULTILINE)
_FUTURE: Final = "from __future__ import annotations\n"


def standalone() -> str:
    """Its text. What checks is the same code that `torhaus evidence verify` runs."""
    verifier, *others = (_OURS.sub("", (Path(__file__).parent / name).read_text(encoding="utf-8")) for name in _PARTS)
    top, future, rest = verifier.partition(_FUTURE)
    return "#!/usr/bin/env python3\n" + top + future + "".join(each.replace(_FUTURE, "") for each in others) + rest
