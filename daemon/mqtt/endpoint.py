"""Where a broker is and how to prove who we are, for forwarders: torhaus.drivers.broker, which drivers use too."""

from torhaus.daemon.forward.base import Unavailable
from torhaus.drivers import broker
from torhaus.drivers.broker import Endpoint, FilesUnusable, Secrets, parse_url

__all__ = ["Endpoint", "Secrets", "parse_url", "read_secrets"]


def read_secrets(
    *, encrypted: bool, ca_file: str | None, cert_file: str | None, key_file: str | None, password_file: str | None
) -> Secrets:
    """Certificates and password; blocks. Raises Unavailable that names the key of the config, never a content."""
    try:
        return broker.read_secrets(
            encrypted=encrypted, ca_file=ca_file, cert_file=cert_file, key_file=key_file, password_file=password_file
        )
    except FilesUnusable as e:
        raise Unavailable(str(e)) from None
