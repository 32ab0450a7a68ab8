import json
from collections.abc import Callable

import pytest

from tests.daemon.evidence_export_scene import Scene
from torhaus.daemon.evidence.verifier import check_export, read_export


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return Scene(tmp_path_factory.mktemp("export"))


Files = dict[str, bytes]


def flip(text: bytes, old: bytes, new: bytes) -> bytes:
    assert old in text
    return text.replace(old, new)


def test_what_is_changed_in_an_export_is_named(scene: Scene) -> None:
    files, digest = read_export(scene.zip)
    assert check_export(files, "", digest).faults == []

    def what(change: Callable[[Files], None], document: str = digest, key: str = "") -> set[str]:
        changed = dict(files)
        change(changed)
        return {fault.what for fault in check_export(changed, key, document).faults}

    def put(name: str, old: bytes, new: bytes) -> Callable[[Files], None]:
        return lambda changed: changed.update({name: flip(changed[name], old, new)})

    other = json.loads(files["note.json"])["sha256"][::-1].encode()
    assert what(lambda _: None, "00" * 32) == {"document"}
    assert what(lambda _: None, key="00" * 32) == {"key", "signature"}
    assert what(put("note.json", b'"passed"', b'"failed"')) == {"note"}
    assert what(put("note.xml", b"passed", b"failed")) == {"note"}
    assert "document" in what(put("note.json", digest.encode(), other))
    assert "proof" in what(put("entries.jsonl", b'"event":"verified"', b'"event":"verifies"'))
    assert "proof" in what(put("entries.jsonl", b'"index":', b'"index":1'))
    assert "proof" in what(lambda changed: changed.update({"roots.jsonl": b""}))
    assert "signature" in what(put("roots.jsonl", b'"first":1,', b'"first":2,'))
    assert what(lambda changed: changed.update({"entries.jsonl": b"{}\n"})) >= {"syntax", "document", "note"}
    assert what(lambda changed: changed.update({"key.txt": b"\xff"})) == {"syntax"}
