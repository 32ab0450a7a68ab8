"""`torhaus codecs import`: the models of a public catalogue, from a local folder, as profiles with their decoders."""

import argparse
import asyncio
import os
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from torhaus.daemon.main import add_config

if TYPE_CHECKING:
    from torhaus.daemon.catalogue.model import Skipped
    from torhaus.daemon.catalogue.take import Taken

EX_NOINPUT: Final = 66
SHOWN: Final = 20
"""Models that are left out for the same reason are told one by one up to so many."""


def add(actions: "argparse._SubParsersAction[Any]") -> None:
    """The command's place in the command line."""
    command = actions.add_parser(
        "import", help="take models from a catalogue: Actility, The Things Network, ChirpStack"
    )
    command.add_argument("dir", type=Path, metavar="DIR", help="a local copy of the catalogue")
    command.add_argument("--only", action="append", default=[], metavar="VENDOR[/MODEL]", help="as often as wanted")
    command.add_argument("--to", type=Path, metavar="DIR", help="instead of the configuration's folder of decoders")
    command.add_argument("--replace", action="store_true", help="write over what is there already")
    command.add_argument("--with-native", action="store_true", help="also models that torhaus decodes itself")
    command.add_argument("--test", action="store_true", help="run the catalogue's own examples, in the script process")
    command.add_argument("--verbose", action="store_true", help="name every model that is left out")
    add_config(command)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0; 1 when an example fails; 66 without a catalogue, 73 when it cannot be written, 78 for the configuration."""
    from torhaus.daemon.catalogue.forms import form_of, reader_of
    from torhaus.daemon.catalogue.model import Skipped
    from torhaus.daemon.catalogue.take import Choice, Taken, take
    from torhaus.daemon.cli.codecs import scripts_folder
    from torhaus.daemon.config.document import ConfigFaults

    try:
        scripts = args.to or scripts_folder(args.config)
        form = form_of(args.dir)
        found = reader_of(form)(args.dir)
        done = take(found, scripts, Choice(tuple(args.only), args.replace, args.with_native))
    except ConfigFaults as e:
        print(*e.faults, sep="\n")
        return os.EX_CONFIG
    except ValueError as e:
        print(e, file=sys.stderr)
        return EX_NOINPUT
    except OSError as e:
        print(f"{e.filename or args.dir}: {e.strerror}", file=sys.stderr)
        return os.EX_CANTCREAT
    taken = [each for each in done if isinstance(each, Taken)]
    _report(taken, [each for each in done if isinstance(each, Skipped)], verbose=args.verbose)
    print(f"{len(taken)} models taken into {scripts}, {len(done) - len(taken)} left out")
    return asyncio.run(_test(taken, scripts)) if args.test else 0


def _report(taken: "list[Taken]", skipped: "list[Skipped]", *, verbose: bool) -> None:
    for each in taken:
        print(f"taken     {each.profile:40} {each.codec} (licence: {each.licence})")
    alike = Counter(each.why for each in skipped)
    for out in skipped:
        if verbose or alike[out.why] <= SHOWN:
            print(f"left out  {out.what:40} {out.why}")
    for why, count in alike.most_common():
        if not verbose and count > SHOWN:
            print(f"left out  {f'{count} models':40} {why}")


async def _test(taken: "list[Taken]", scripts: Path) -> int:
    from torhaus.daemon.cli.progress import Progress
    from torhaus.daemon.vectors.base import Scripts, Tools
    from torhaus.daemon.vectors.forms import check_of

    lines = [(each.profile, line) for each in taken for line in each.examples]
    failed = 0
    with Progress("examples") as progress:
        async with asyncio.TaskGroup() as group:
            tools = Tools(scripts, None, Scripts(scripts, group))
            for number, (profile, line) in enumerate(lines, 1):
                try:
                    fault = await check_of(line)(line, tools)
                except ValueError as e:
                    fault = f"unusable line: {e}"
                if fault is not None:
                    failed += 1
                    print(f"{profile}: {line['id']}: {fault}")
                progress.told(number, len(lines))
            tools.scripts.close()
    print(f"{len(lines) - failed} passed, {failed} failed")
    return 1 if failed else 0
