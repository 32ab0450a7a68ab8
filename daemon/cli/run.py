"""`torhaus run`: the daemon."""

import argparse
import asyncio
import gc
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from torhaus.daemon.main import add_config

if TYPE_CHECKING:
    from torhaus.daemon.config.document import Fault
    from torhaus.daemon.config.load import Loaded

EX_OK: Final = 0
EX_UNAVAILABLE: Final = 69
EX_CANTCREAT: Final = 73
EX_CONFIG: Final = 78
PRIVATE: Final = 0o077
"""Decrypted readings are on the disk: what the daemon makes is nobody else's, also where no unit sets UMask=."""
SWITCH_S: Final = 0.001
"""How long a thread may keep the interpreter: the loop must not wait 5 ms behind the writer."""
GC_YOUNG: Final = 20_000
"""Objects made between two looks for cycles, of which there are few; an uplink makes about twenty objects."""


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The command's place in the command line."""
    command = commands.add_parser("run", help="the daemon")
    add_config(command)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT.

    78 for a bad configuration or a store that is not for this one, 73 when the store cannot be used, 69 when HTTP or
    the control socket cannot be had.
    """
    return start(args.config)


def start(config: Path, want: "Callable[[Loaded], Fault | None]" = lambda _: None) -> int:
    """The same with what else a configuration must have: `want` says what is missing."""
    gc.disable()  # until all is made: what is made at the start stays, and to look for cycles in it takes time
    from torhaus.daemon import logs, quick_aiohttp  # noqa: F401 - before a plug-in imports aiohttp
    from torhaus.daemon.config.load import ConfigFaults, load

    try:
        loaded = load(config)
    except ConfigFaults as e:
        for fault in e.faults:
            print(fault, file=sys.stderr)
        return EX_CONFIG
    missing = want(loaded)
    if missing is not None:
        print(missing, file=sys.stderr)
        return EX_CONFIG
    logs.set_up(loaded.log.level, loaded.log.format)
    for note in loaded.notes:
        logs.warning("configuration", note=note)
    return serve(loaded)


def serve(loaded: Any) -> int:  # noqa: ANN401 - daemon.config.load.Loaded, imported when it is needed
    """Run the daemon with a configuration that is known to be good."""
    import uvloop

    from torhaus.daemon import logs
    from torhaus.daemon.httpd import CannotListen
    from torhaus.daemon.outbox.migrate import RefusedError, SchemaError

    os.umask(PRIVATE)
    sys.setswitchinterval(SWITCH_S)
    try:
        uvloop.run(_main(loaded))
    except RefusedError as e:  # only a person can help: a newer torhaus is needed, or another configuration
        logs.error("cannot use the store", path=loaded.store.path, detail=e)
        return EX_CONFIG
    except (OSError, sqlite3.Error, SchemaError) as e:
        logs.error("cannot use the store", path=loaded.store.path, detail=e)
        return EX_CANTCREAT
    except CannotListen as e:
        logs.error("cannot start", detail=e)
        return EX_UNAVAILABLE
    return EX_OK


def settle_memory() -> None:
    """What was made until now stays: the collector of cycles need not look at it again, nor run every few uplinks."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_YOUNG, 20, 50)
    gc.enable()


async def _main(loaded: Any) -> None:  # noqa: ANN401
    from torhaus.daemon.app import App

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await App(loaded, when_ready=settle_memory).run(stop)
