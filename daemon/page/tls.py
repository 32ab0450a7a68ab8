"""TLS for the page: the site's own certificate, read again when it was renewed."""

import ssl
from pathlib import Path

from torhaus.daemon.config.model import Http
from torhaus.daemon.httpd import CannotListen


def server_tls(http: Http) -> ssl.SSLContext | None:
    """What to serve with; None where no certificate is configured. Raises CannotListen."""
    if http.cert_file is None or http.key_file is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    certificate, key = Path(http.cert_file), Path(http.key_file)
    renewal = _Renewal(context, certificate, key)
    try:
        renewal.load()
    except OSError as e:  # also ssl.SSLError
        why = e.strerror or str(e)
        raise CannotListen(f"cannot listen with TLS: [http] cert_file {certificate}, key_file {key}: {why}") from e
    context.sni_callback = renewal.look
    return context


class _Renewal:
    """Looks at each handshake whether the file is another one than before."""

    def __init__(self, context: ssl.SSLContext, certificate: Path, key: Path) -> None:
        self._context = context
        self._certificate = certificate
        self._key = key
        self._seen = 0

    def load(self) -> None:
        """Read certificate and key. Raises OSError."""
        seen = self._certificate.stat().st_mtime_ns
        self._context.load_cert_chain(self._certificate, self._key, password="")
        self._seen = seen

    def look(self, *_: object) -> None:
        """A handshake begins: new ones go on with what is there now. A half-written pair is tried again next time."""
        try:
            if self._certificate.stat().st_mtime_ns != self._seen:
                self.load()
        except OSError:
            return
