from pathlib import Path

import pytest

from tests.daemon.target_scene import SHA, parcel
from torhaus.daemon.scans.targets.fill import fill, placeholder_fault


def test_what_is_known_of_the_document(tmp_path: Path) -> None:
    text = fill("{station}: {name} ({id}) {sha256} 100 %", parcel(tmp_path))
    assert text == f"counter: Bußgeld 1.pdf (rathaus/3f2a91c0/7) {SHA} 100 %"


@pytest.mark.parametrize(("text", "good"), [("", True), ("{id}", True), ("{path}", False), ("{}", False), ("}{", True)])
def test_places(text: str, good: bool) -> None:
    assert (placeholder_fault(text) is None) is good
