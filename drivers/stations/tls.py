"""TLS for gateways: a context that can be renewed while it is used, and words for handshakes that fail."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final

Failed = Callable[[str], None]
"""Told of a handshake that failed, and why. Who it was is not known yet."""

_PENDING: Final = (ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Tls:
    """The server's side. Raises OSError (ssl.SSLError is one) when a file cannot be used."""

    def __init__(self, cert_file: str, key_file: str, client_ca_file: str, failed: Failed) -> None:
        self._files = [Path(f) for f in (cert_file, key_file, client_ca_file) if f]
        self._cert_file = cert_file
        self._key_file = key_file
        self.context = context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.sslobject_class = _observed(failed)
        if client_ca_file:
            context.load_verify_locations(cafile=client_ca_file)
            # not CERT_REQUIRED: a station without one is told so in words, and some have tokens instead
            context.verify_mode = ssl.CERT_OPTIONAL
        self._load()

    def _load(self) -> None:
        self._seen = self._changed()
        # without a callback OpenSSL would ask for a password on the terminal
        self.context.load_cert_chain(self._cert_file, self._key_file, password=lambda: b"")

    def renew(self) -> None:
        """Take certificate and key anew if a file has changed: connections there are stay. Raises OSError.

        An authority that was taken out of its file is trusted until the driver starts again.
        """
        if self._changed() != self._seen:
            for ca in self._files[2:]:
                self.context.load_verify_locations(cafile=ca)
            self._load()

    def _changed(self) -> list[tuple[int, int]]:
        return [(s.st_mtime_ns, s.st_ino) for s in (f.stat() for f in self._files)]


def _observed(failed: Failed) -> type[ssl.SSLObject]:
    class Observed(ssl.SSLObject):
        """Tells of a handshake that fails: asyncio drops the connection without a word."""

        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except _PENDING:
                raise
            except ssl.SSLError as e:
                failed(words(e))
                raise

    return Observed


def words(error: ssl.SSLError) -> str:
    """What OpenSSL found, in its words but without its codes."""
    reason = getattr(error, "reason", None) or "handshake failed"
    return f"TLS: {getattr(error, 'verify_message', None) or reason.replace('_', ' ').lower()}"
