"""Every scan target by type: one line each. Modules are imported when a target of that type is configured."""

from importlib import import_module
from types import ModuleType
from typing import Final

from torhaus.daemon.scans.targets.base import Context, Target, TargetConfig

TARGETS: Final[dict[str, str]] = {
    "dvelop": "torhaus.daemon.scans.targets.dvelop",
    "folder": "torhaus.daemon.scans.targets.folder",
    "hostimp": "torhaus.daemon.scans.targets.hostimp",
    "http": "torhaus.daemon.scans.targets.http",
    "paperless": "torhaus.daemon.scans.targets.paperless",
    "s3": "torhaus.daemon.scans.targets.s3",
    "sftp": "torhaus.daemon.scans.targets.sftp",
    "tus": "torhaus.daemon.scans.targets.tus",
    "webdav": "torhaus.daemon.scans.targets.webdav",
}
"""Type to module. Each module has `Config` and `open_target(config, context)`."""


def load(kind: str) -> ModuleType:
    """The module of a type. KeyError when there is no such type; ImportError when its library is not installed."""
    return import_module(TARGETS[kind])


def kind_of(config: TargetConfig) -> str:
    """The type that a config is of."""
    return str(config.__struct_config__.tag)


def open_target(config: TargetConfig, context: Context) -> Target:
    """The target for a config. Touches neither disk nor network."""
    target: Target = load(kind_of(config)).open_target(config, context)
    return target
