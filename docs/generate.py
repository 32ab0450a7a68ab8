"""Writes docs/reference from the code; `--check` says which pages are out of step instead."""

import argparse
import asyncio
import io
import os
import sys
import tempfile
import tomllib
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path

import msgspec

DOCS = Path(__file__).parent
CONFIG = DOCS.parent / "config"
NOTE = "<!-- made by docs/generate.py: do not edit -->\n\n"


def config_page() -> str:
    """Every sample, in the order of a reader's need."""
    out = [NOTE, "# Configuration\n\nCommented lines show the default. `torhaus sample KIND` prints these, "]
    out.append("`torhaus schema` the JSON Schema of everything, `torhaus check` what is wrong and where.\n")
    files = [CONFIG / "torhaus.toml", *sorted(CONFIG.glob("*/*.toml")), CONFIG / "devices.toml"]
    files.append(CONFIG / "devices.keys.toml.sample")
    for path in files:
        name = path.relative_to(CONFIG).as_posix()
        out.append(f"\n## {name}\n\n```toml\n{path.read_text(encoding='utf-8').rstrip()}\n```\n")
    return "".join(out)


def commands_page() -> str:
    """`--help` of every command."""
    from torhaus.daemon.main import parser

    os.environ.pop("TORHAUS_CONFIG", None)  # the page has everybody's default
    out = [NOTE, "# Commands\n\nExit codes: 0 well, 1 found something, 64 wrong usage, 65 refused data, 66 no input, "]
    out.append("69 not running, 73 and 74 files, 78 configuration.\n")
    for words, each in _parsers(parser(), ("torhaus",)):
        each.formatter_class = _formatter
        out.append(f"\n## {' '.join(words)}\n\n```\n{each.format_help().rstrip()}\n```\n")
    return "".join(out)


def _formatter(prog: str) -> argparse.HelpFormatter:
    return argparse.HelpFormatter(prog, width=110)


def _parsers(
    top: argparse.ArgumentParser, words: tuple[str, ...]
) -> list[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    found = [(words, top)]
    for action in top._actions:  # noqa: SLF001 - argparse has no public way
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for name, each in action.choices.items():
                found += _parsers(each, (*words, name))
    return found


def codecs_page() -> str:
    """Each codec: what its module says, and its first vectors."""
    from torhaus.codecs.registry import CODECS, FAMILIES, models

    out = [
        NOTE,
        "# Codecs\n\nA vendor's JavaScript decoder (TS013 `decodeUplink`, older `Decode` and `Decoder`) is used ",
    ]
    out.append("by its file name.\n")
    for name, path in sorted((CODECS | FAMILIES).items()):
        module = import_module(path)
        out.append(f"\n## {name}\n\n{(module.__doc__ or '').strip()}\n")
        if name in FAMILIES:
            out.append(f"\nModels: {', '.join(f'`{model}`' for model in models(name))}.\n")
        vectors = tomllib.loads(Path(str(module.__file__)).with_suffix(".vectors.toml").read_text(encoding="utf-8"))
        for vector in [v for v in vectors["vector"] if "expect" in v][:2]:
            model = f"{vector['model']}, " if "model" in vector else ""
            values = ", ".join(
                f"{k} {v.get('value')}{' ' + v['unit'] if 'unit' in v else ''}" for k, v in vector["expect"].items()
            )
            out.append(f"\n{model}`{vector['hex'][:120]}{'…' if len(vector['hex']) > 120 else ''}`: {values[:400]}\n")
    return "".join(out)


def scan_targets_page() -> str:
    """Each scan target: what it proves, what its module says, its sample."""
    from torhaus.daemon.scans.targets.registry import TARGETS

    out = [NOTE, "# Scan targets\n\nWhere documents go, `[[scan.target]]`. *Transferred*: it said yes. *Verified*: it "]
    out.append("has our bytes. *Filed*: it has made an object of them whose id is known.\n")
    for name, path in sorted(TARGETS.items()):
        module = import_module(path)
        target = next(each for each in vars(module).values() if isinstance(getattr(each, "proves", None), str))
        sample = (CONFIG / "scan_targets" / f"{name}.toml").read_text(encoding="utf-8").rstrip()
        out.append(f"\n## {name}\n\nProves: **{target.proves}**. {(module.__doc__ or '').strip()}\n")
        out.append(f"\n```toml\n{sample}\n```\n")
    return "".join(out)


def profiles_page() -> str:
    """The profiles that ship with torhaus."""
    from torhaus.daemon.config.profiles import every, find

    out = [NOTE, '# Profiles\n\nWhat ships with torhaus for `profile = "vendor/model"` at a device; other models of ']
    out.append("native codecs have a profile of their codec alone, and `torhaus codecs import` brings more. ")
    out.append("`interval_s` is as delivered.\n")
    out.append("\n| profile | codec | name | Name | interval_s | battery |\n|---|---|---|---|---|---|\n")
    nowhere = Path("/nonexistent")
    for name, _ in every(nowhere):
        p = find(name, nowhere)
        battery = f"`{p.battery.field}` below {p.battery.low:g}" if p.battery and p.battery.low is not None else ""
        out.append(f"| `{name}` | `{p.codec}` | {p.name.en} | {p.name.de} | {p.interval_s or ''} | {battery} |\n")
    return "".join(out)


def message_page() -> str:
    """What central systems receive."""
    from torhaus.daemon.forward.message import Message

    schema = msgspec.json.format(msgspec.json.encode(msgspec.json.schema(Message)), indent=1).decode()
    out = [
        NOTE,
        "# The outgoing message\n\nJSON (or MessagePack) with these members; absent ones are left out. `id`, `kind`, ",
    ]
    out.append("`site`, `at`, `clock` and `late` are always there. `raw` is base64 in JSON. It is frozen: members are ")
    out.append("added, never changed.\n")
    out.append(f"\n```json\n{schema}\n```\n")
    return "".join(out)


def metrics_page() -> str:
    """Every family: name, type, labels, help."""
    out = [NOTE, "# Metrics\n\n| name | type | labels | meaning |\n|---|---|---|---|\n"]
    out += [f"| `{n}` | {t} | {', '.join(labels)} | {h} |\n" for n, t, labels, h in asyncio.run(families())]
    out.append("\nThe process's own figures (`process_…`, `python_gc_…`) come with them.\n")
    return "".join(out)


async def families() -> list[tuple[str, str, list[str], str]]:
    """(name as scraped, type, labels, help) of every family that torhaus can expose."""
    from torhaus.daemon.clock import SystemClock
    from torhaus.daemon.evidence.stamping import StampFigures
    from torhaus.daemon.metrics import TorhausCollector
    from torhaus.daemon.outbox.store import Limits, Outbox
    from torhaus.daemon.scans.watch import ScanWatch
    from torhaus.daemon.scripts.host_model import HostStatus
    from torhaus.daemon.status import Survey
    from torhaus.daemon.watch import Watch

    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        watch = Watch(0)
        outbox = Outbox(Path(folder), "docs", clock, Limits(), watch)
        await outbox.open()
        survey = Survey("docs", "", clock, outbox, watch, {})
        survey.scan_watch = ScanWatch()
        survey.scan_watch.to_look_at = {}
        survey.scan_watch.withdrawn = {}
        survey.scan_watch.evidence.stamps = StampFigures()
        survey.scripts = lambda: HostStatus(None, 0, 0, 0, 0, "")
        found = []
        for family in TorhausCollector("", clock, outbox, watch, survey).collect():
            suffix = "_total" if family.type == "counter" else ""
            labels = list(getattr(family, "_labelnames", ()))
            found.append((family.name + suffix, family.type, labels, family.documentation))
        await outbox.close()
    return found


PAGES = {
    "config.md": config_page,
    "commands.md": commands_page,
    "codecs.md": codecs_page,
    "profiles.md": profiles_page,
    "scan_targets.md": scan_targets_page,
    "message.md": message_page,
    "metrics.md": metrics_page,
}


def main() -> int:
    """Write the pages, or compare them."""
    stale = []
    for name, make in PAGES.items():
        with redirect_stdout(io.StringIO()):
            text = make()
        path = DOCS / "reference" / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if "--check" in sys.argv:
            stale.append(str(path.relative_to(DOCS.parent)))
        else:
            path.write_text(text, encoding="utf-8")
    if stale:
        print("out of step with the code (run .venv/bin/python docs/generate.py): " + ", ".join(stale))
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
