"""Numbers on the command line, between what is possible."""

import argparse
from collections.abc import Callable


def whole(least: int, most: int) -> Callable[[str], int]:
    """For argparse: a whole number from `least` to `most`, also as 0x1F."""

    def parse(text: str) -> int:
        try:
            number = int(text, 0) if text[:2].lower() == "0x" else int(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"must be a whole number from {least} to {most}, not {text!r}")
        return number

    return parse


def seconds(least: float, most: float) -> Callable[[str], float]:
    """For argparse: so many seconds, from `least` to `most`."""

    def parse(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:  # neither is NaN
            raise argparse.ArgumentTypeError(f"must be seconds from {least:g} to {most:g}, not {text!r}")
        return number

    return parse
