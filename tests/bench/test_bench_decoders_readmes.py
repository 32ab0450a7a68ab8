from pathlib import Path

from bench.decoders.readmes import find, literal

README = """# A level sensor
```json
// 01 05
{
    "level": 5, // in cm
    state: 'off',
}

// 0106
{ "level": 6, "url": "http://x" }
```
```
no example
```
```js
// 0107
{ level: 5 + 2 }
```
"""


def test_examples(tmp_path: Path) -> None:
    folder = tmp_path / "am-series/level"
    folder.mkdir(parents=True)
    (folder / "level-decoder.js").write_text("")
    (folder / "README.md").write_text(README)
    (entry,) = find(tmp_path)
    assert entry.model == "level"
    assert [(e["bytes_hex"], e["expected"]) for e in entry.examples] == [
        ("01 05", {"level": 5, "state": "off"}),
        ("0106", {"level": 6, "url": "http://x"}),
    ]


def test_literals() -> None:
    assert literal('{a: "b: c, }"}') == {"a": "b: c, }"}
    assert literal("nothing") is None
    assert literal("{a: f()}") is None
