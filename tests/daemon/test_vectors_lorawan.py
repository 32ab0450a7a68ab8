"""A difference in a PHYPayload is told; the right values are compared in tests/codecs/test_lorawan_vectors.py."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from torhaus.daemon.vectors.base import Tools
from torhaus.daemon.vectors.lorawan import check

TOOLS = Tools(Path(), None, None)  # type: ignore[arg-type]
PROPRIETARY = {"mtype": "Proprietary", "mhdr": "e0", "major": 0, "mac_payload": "0102", "mic": "aabbccdd"}


def line(**changed: Any) -> dict[str, Any]:
    frame = {"kind": "phy", "phy_payload": "e00102aabbccdd", "version": "1.0", "keys": {}, "params": {}}
    return frame | {"expected": PROPRIETARY} | changed


def test_differences() -> None:
    assert asyncio.run(check(line(), TOOLS)) is None
    wrong = line(expected=PROPRIETARY | {"mic": "00", "more": 1})
    assert asyncio.run(check(wrong, TOOLS)) == "mic: got 'aabbccdd', expected '00'; more: got 'nothing', expected 1"
    assert str(asyncio.run(check(line(phy_payload="40"), TOOLS))).startswith("refused: short")


def test_an_unknown_derivation() -> None:
    given = {"app_key": "00" * 16, "join_nonce": "0", "dev_nonce": "0"}
    with pytest.raises(ValueError, match="there is no function nonsense"):
        asyncio.run(check({"kind": "keys", "function": "nonsense", "input": given, "expected": {}}, TOOLS))
