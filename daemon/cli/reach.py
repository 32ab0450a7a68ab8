"""Where the daemon and its files are, and the exit codes of commands that talk to either."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from torhaus.daemon.cli.live import Unreadable

if TYPE_CHECKING:
    from torhaus.daemon.config.load import Loaded

EX_USAGE: Final = 64
EX_DATAERR: Final = 65
EX_NOINPUT: Final = 66
EX_UNAVAILABLE: Final = 69
EX_CANTCREAT: Final = 73
EX_IOERR: Final = 74
EX_CONFIG: Final = 78


def configured(path: Path) -> "Loaded":
    """The configuration, as far as somebody else than the service may read it. Raises Unreadable."""
    from torhaus.daemon.config.load import ConfigFaults, load

    try:
        return load(path, check_only=True)
    except ConfigFaults as e:
        raise Unreadable("\n".join(str(f) for f in e.faults), EX_CONFIG) from None
