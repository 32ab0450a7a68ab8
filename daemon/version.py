"""Which torhaus this is."""

from importlib.metadata import PackageNotFoundError, version


def torhaus_version() -> str:
    """The installed version; `0+unknown` when it runs from files that were never installed."""
    try:
        return version("torhaus")
    except PackageNotFoundError:
        return "0+unknown"
