"""Secrets from files and systemd credentials: torhaus.drivers.secret, since drivers read some, too."""

from torhaus.drivers.secret import (
    CREDENTIAL,
    MAX_SECRET_BYTES,
    SecretError,
    credentials_folder,
    is_credential,
    read_bounded,
    read_secret,
    secret_path,
)

__all__ = [
    "CREDENTIAL",
    "MAX_SECRET_BYTES",
    "SecretError",
    "credentials_folder",
    "is_credential",
    "read_bounded",
    "read_secret",
    "secret_path",
]
