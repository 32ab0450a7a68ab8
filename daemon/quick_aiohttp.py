"""Imports aiohttp without the certificate authorities of the system: an seventh of what every start takes.

aiohttp makes its clients' default TLS context when it is imported (3.14, connector.py), and loads all authorities for
it. Whoever speaks TLS here brings a context of his own. The default one has none: to forget that fails, and trusts
nobody. To be imported before anything else that imports aiohttp.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_WHERE: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""Where OpenSSL looks for its authorities instead of where it was built to."""


@contextmanager
def _no_authorities() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in _WHERE}
    os.environ.update(dict.fromkeys(_WHERE, os.devnull))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


with _no_authorities():
    import aiohttp  # noqa: F401
