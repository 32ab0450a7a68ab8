"""Which torhaus this is."""

import sys
from pathlib import Path


def torhaus_version() -> str:
    """The installed version; `0+unknown` when it runs from files that were never installed.

    It is in the name of the folder that an installation leaves beside the packages (PyPA: Recording installed projects,
    the .dist-info directory). The library for this takes 1 MB and is asked where no folder is found only.
    """
    for place in sys.path:
        for folder in sorted(Path(place).glob("torhaus-*.dist-info")):
            return folder.name.removesuffix(".dist-info").partition("-")[2]
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("torhaus")
    except PackageNotFoundError:
        return "0+unknown"
