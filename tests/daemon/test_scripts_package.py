"""Scripts of several files: `require` finds what lies in their package, and nothing else."""

from pathlib import Path

import pytest

from tests.daemon.scripts_fakes import Bench
from torhaus.codecs.model import DecodeError
from torhaus.daemon.scripts import source
from torhaus.daemon.scripts.protocol import Decoded, Job
from torhaus.daemon.scripts.source import read_package

MAIN = """
const { scale } = require("./lib/scale");
const table = require('./table.json');
exports.decodeUplink = (i) => ({ data: { value: scale(i.bytes[0]), name: table.names[0], same: require("./lib/scale.js").scale === scale } });
"""  # noqa: E501
FILES = {
    "main.js": MAIN,
    "lib/scale.js": "const { ten } = require('../ten');\nexports.scale = (b) => {\n"
    "  if (b === 9) throw new Error('nine');\n  return b / ten;\n};",
    "ten/index.js": "module.exports = { ten: 10 };",
    "table.json": '{"names": ["level"]}',
}


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root / next(iter(files))


def decode(path: Path, payload: bytes = b"\x05") -> dict[str, object]:
    package = read_package(path)
    bench = Bench()
    bench.engine.add("it", package.text, package.main, package.files)
    made = bench.engine.decode(Job(path.name, "it", payload))
    assert isinstance(made, Decoded)
    return {name: value.value for name, value in made.fields.items()}


def test_files_and_json(tmp_path: Path) -> None:
    assert decode(write(tmp_path, FILES)) == {"value": 0.5, "name": "level", "same": True}


def test_a_fault_names_file_and_line(tmp_path: Path) -> None:
    path = write(tmp_path, FILES)
    with pytest.raises(DecodeError, match=r"script_error: main\.js \(lib/scale\.js\):3:\d+: Error: nine"):
        decode(path, b"\x09")


def test_circles_and_names(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        {
            "main.js": "exports.decodeUplink = () => ({ data: require('./a').all() });",
            "a.js": "exports.own = 1; const b = require('./b');\nexports.all = () => ({ ...b, file: __filename, dir: __dirname });",  # noqa: E501
            "b.js": "exports.seen = require('./a').own; exports.plain = this === exports;",
        },
    )
    assert decode(path) == {"seen": 1, "plain": True, "file": "a.js", "dir": ""}


def test_package_json_bounds_the_package(tmp_path: Path) -> None:
    files = {
        "vendor/src/main.js": "exports.decodeUplink = () => ({ data: { a: require('../lib').a } });",
        "vendor/lib.js": "exports.a = 1;",
    }
    path = write(tmp_path, files)
    with pytest.raises(DecodeError, match=r"Cannot find module '\.\./lib' in the script's package"):
        decode(path)
    write(tmp_path, {"vendor/package.json": "{}"})
    assert decode(path) == {"a": 1}


@pytest.mark.parametrize(
    "name", ["./none", "../secret", "/etc/passwd", "fs", "child_process", "./lib/../../secret", "."]
)
def test_nothing_else_is_found(tmp_path: Path, name: str) -> None:
    write(tmp_path, {"secret.js": "exports.a = 1;", "d/lib/x.js": ""})
    path = write(tmp_path / "d", {"main.js": f"require('{name}'); function decodeUplink() {{ return {{a: 1}}; }}"})
    with pytest.raises(DecodeError, match="Cannot find module"):
        decode(path)


def test_links_out_are_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text('{"key": 1}')
    path = write(tmp_path / "d", {"main.js": "require('./key.json');"})
    (tmp_path / "d/key.json").symlink_to(tmp_path / "secret.json")
    with pytest.raises(ValueError, match="a link out of the script's package"):
        read_package(path)
    (tmp_path / "d/key.json").unlink()
    (tmp_path / "d/real.json").write_text("{}")
    (tmp_path / "d/key.json").symlink_to("real.json")
    assert list(read_package(path).files) == ["key.json"]


def test_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {f"f{n}.js": f"require('./f{n + 1}');" for n in range(9)}
    path = write(tmp_path, files)
    assert len(read_package(path).files) == 8
    monkeypatch.setattr(source, "MAX_FILES", 7)
    with pytest.raises(ValueError, match="more than 7 files"):
        read_package(path)
    monkeypatch.setattr(source, "MAX_FILES", 64)
    monkeypatch.setattr(source, "MAX_SOURCE_BYTES", 100)
    with pytest.raises(ValueError, match="larger than 100 bytes with the files"):
        read_package(path)


def test_a_package_is_known_by_all_its_files(tmp_path: Path) -> None:
    sources = source.Sources()
    path = write(tmp_path, FILES)
    first = sources.add(read_package(path))
    (tmp_path / "ten/index.js").write_text("module.exports = { ten: 100 };")
    assert sources.add(read_package(path)) != first
    assert sources.add(read_package(path)) == sources.add(read_package(path))
