"""The same question to Node.js and to the script host has the same answer, and what differs is told."""

import asyncio
import shutil
from pathlib import Path

import pytest

from bench.decoders.__main__ import cases, compare
from bench.decoders.node import Node
from tests.daemon import catalogues
from torhaus.codecs.model import DecodeError

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


def test_cases_are_told_once(tmp_path: Path) -> None:
    found = list(cases(catalogues.actility(tmp_path)))
    assert [(script, line["id"]) for script, line in found] == [
        ("vendors/boke/drivers/level/index.js", name) for name in ("up", "bad port", "down")
    ]


@needs_node
def test_answers(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text(
        "const b = Buffer.from('01', 'hex');\n"
        "exports.decodeUplink = (i) => { if (!i.bytes.length) throw new Error('empty'); return {data: {a: i.bytes[0] + b[0]}}; };\n"  # noqa: E501
        "function Encoder(data, port) { return [data.a, port]; }"
    )

    async def main() -> None:
        async with Node(tmp_path) as node:
            fields = await node.decode("a.js", b"\x04", 2, None)
            assert fields["a"].value == 5
            assert (await node.encode("a.js", {"data": {"a": 3}}, 7)).payload == b"\x03\x07"
            with pytest.raises(DecodeError, match="empty"):
                await node.decode("a.js", b"", 2, None)

    asyncio.run(main())


@needs_node
def test_both_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    count = asyncio.run(compare(catalogues.actility(tmp_path), show=True))
    assert (count.scripts, count.cases, count.node, count.host, count.only_node) == (1, 3, 3, 3, 0)
    assert capsys.readouterr().out == ""


@needs_node
def test_what_only_node_passes_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = catalogues.actility(tmp_path)
    script = root / "vendors/boke/drivers/level/index.js"
    script.write_text(script.read_text().replace("i.bytes[0]", "setTimeout.length === undefined ? 0 : i.bytes[0]"))
    node_has_none = asyncio.run(compare(root, show=False))
    assert node_has_none.only_node == 0
    script.write_text(catalogues.SCRIPT.replace("i.bytes[0]", "require('os').EOL.length * 5"))
    count = asyncio.run(compare(root, show=False))
    assert (count.node, count.host, count.only_node) == (3, 2, 1)
    assert "Cannot find module 'os'" in capsys.readouterr().out
