"""Scan targets by their config struct; one line each. A target's libraries are imported when it is configured."""

from torhaus.daemon.scans.config import FolderTarget, HttpTarget, Target
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.targets import base


def open_target(config: Target, disk: Disk) -> base.Target:
    """The target for a config. Touches neither disk nor network."""
    match config:
        case FolderTarget():
            from torhaus.daemon.scans.targets import folder

            return folder.Folder(config, disk)
        case HttpTarget():
            from torhaus.daemon.scans.targets import http

            return http.Http(config)
