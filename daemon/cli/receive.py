"""`torhaus receive`: the daemon as the central side of other torhaus boxes, on a server."""

import argparse
from typing import TYPE_CHECKING, Any

from torhaus.daemon.main import add_config

if TYPE_CHECKING:
    from torhaus.daemon.config.document import Fault
    from torhaus.daemon.config.load import Loaded


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The command's place in the command line."""
    command = commands.add_parser("receive", help="the daemon on a server, to which other torhaus deliver documents")
    add_config(command)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """As `torhaus run`, but not without a station of type "site": exit 78."""
    from torhaus.daemon.cli.run import start

    def want(loaded: "Loaded") -> "Fault | None":
        from torhaus.daemon.config.document import Fault
        from torhaus.daemon.scans.uploads.config import SiteStation

        if any(isinstance(station, SiteStation) for station in loaded.scan.station):
            return None
        text = 'has none of type "site": nobody could deliver here (torhaus sample scans/receiver)'
        return Fault(str(args.config), 1, "scan.station", text)

    return start(args.config, want)
