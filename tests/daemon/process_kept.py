"""What a command that serves sets for its whole process, and tests in the same process must not be left with."""

import gc
import logging
import os
import sys
from collections.abc import Iterator

import pytest

from torhaus.daemon import logs


@pytest.fixture(autouse=True)
def process_kept() -> Iterator[None]:
    """The process is as it was: logging, umask, garbage collection, switch interval. The umask is a shell's."""
    interval, mask, threshold = sys.getswitchinterval(), os.umask(0o022), gc.get_threshold()
    root = logging.getLogger()
    before = (logs.logger.handlers[:], logs.logger.level, logs.logger.propagate, root.handlers[:])
    level = root.level
    yield
    logs.logger.handlers[:], logs.logger.level, logs.logger.propagate, root.handlers[:] = before
    root.setLevel(level)  # clears the cache of what is enabled
    sys.setswitchinterval(interval)
    os.umask(mask)
    gc.set_threshold(*threshold)
    gc.unfreeze()
