"""`python -m bench.decoders DIR…`: published decoders with their own examples, in the script host and in plain Node.js.

Each DIR is a catalogue in a form that `torhaus codecs import` knows, or a tree of `*-decoder.js` with README files. One
line for each case that Node.js passes and the host does not; then a table. 1 when there is such a case.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec

from bench.decoders import readmes
from bench.decoders.node import Node
from torhaus.daemon.catalogue.forms import form_of, reader_of
from torhaus.daemon.catalogue.model import Entry, Line
from torhaus.daemon.vectors.base import Scripts, Tools
from torhaus.daemon.vectors.forms import check_of


class Count(msgspec.Struct):
    """Of one source. `differ`: both fail an example, but say different things."""

    scripts: int = 0
    cases: int = 0
    node: int = 0
    host: int = 0
    only_node: int = 0
    differ: int = 0


def cases(root: Path) -> Iterator[tuple[str, Line]]:
    """Every example once, with its script's path below `root`."""
    try:
        entries: Any = reader_of(form_of(root))(root)
    except ValueError:
        entries = readmes.find(root)
    seen = set()
    for entry in entries:
        if not isinstance(entry, Entry):
            continue
        for line in entry.examples:
            other = entry.encoder if "codec_path" in line else None
            script = (other or entry.script).relative_to(root).as_posix()
            key = script, msgspec.json.encode(line)
            if key not in seen:
                seen.add(key)
                yield script, line


async def compare(root: Path, show: bool) -> Count:
    """One source."""
    count = Count()
    scripts = set()
    async with asyncio.TaskGroup() as group, Node(root) as node:
        host = Scripts(root, group)
        for script, example in cases(root):
            line = {**example, "codec_path": script}
            scripts.add(script)
            faults = []
            for engine in (cast("Scripts", node), host):  # the same methods
                try:
                    tools = Tools(root, None, engine)
                    faults.append(await check_of(line)(line, tools))
                except (ValueError, msgspec.DecodeError) as e:
                    faults.append(f"unusable: {e}")
            by_node, by_host = faults
            count.cases += 1
            count.node += by_node is None
            count.host += by_host is None
            count.differ += None not in faults and by_node != by_host
            if by_node is None and by_host is not None:
                count.only_node += 1
                print(f"{script}: {line['id']}: {by_host}")
            elif show and by_host is not None:
                print(f"  both: {script}: {line['id']}: node {by_node} | host {by_host}")
        host.close()
    count.scripts = len(scripts)
    return count


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m bench.decoders")
    parser.add_argument("dir", type=Path, nargs="+", metavar="DIR")
    parser.add_argument("--all", action="store_true", help="show what neither passes, too")
    args = parser.parse_args()
    rows = [(root.name, asyncio.run(compare(root, args.all))) for root in args.dir]
    print("| source | scripts | cases | Node.js passes | torhaus passes | only Node.js |\n|---|---|---|---|---|---|")
    for name, c in rows:
        print(f"| {name} | {c.scripts} | {c.cases} | {c.node} | {c.host} | {c.only_node} |")
    return 1 if any(c.only_node for _, c in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
