"""Imports aiohttp without what it does not need here: authorities, a C++ library, the system's lists of file types.

aiohttp makes its clients' default TLS context when it is imported (3.14, connector.py), and loads all authorities for
it: a seventh of what every start takes. Whoever speaks TLS here brings a context of his own. The default one has none:
to forget that fails, and trusts nobody. frozenlist (1.8) is compiled as C++, whose library takes 1 MB, for a few lists
of handlers: it has a body in Python, too. What types files have, the standard library knows without /etc/mime.types.
To be imported before anything else that imports aiohttp.
"""

import mimetypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_MEANWHILE: Final = {
    "SSL_CERT_FILE": os.devnull,  # where OpenSSL looks for its authorities instead of where it was built to
    "SSL_CERT_DIR": os.devnull,
    "FROZENLIST_NO_EXTENSIONS": "1",
}


@contextmanager
def _without() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in _MEANWHILE}
    os.environ.update(_MEANWHILE)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


mimetypes.knownfiles.clear()
with _without():
    import aiohttp  # noqa: F401
