"""Why a far side cannot be reached, as whoever stands before the box needs to hear it."""

import os
import socket
import ssl
from typing import Final

from torhaus.drivers.broker import printable

_HINTS: Final = {
    9: "is not valid yet: are both clocks right?",
    10: "has expired: renew it, or is this box's clock wrong?",
    18: "is of an authority that is not known here: set ca_file",
    19: "is of an authority that is not known here: set ca_file",
    20: "is of an authority that is not known here: set ca_file",
    21: "is of an authority that is not known here: set ca_file",
    62: "is for another name than that of url",
    64: "is for another address than that of url",
}
"""By OpenSSL's X509_V_ERR_… (x509_vfy.h): what people get wrong."""


def why(error: OSError) -> str:
    """In a few words, without numbers that only programs know."""
    if isinstance(error, ssl.SSLCertVerificationError):
        hint = _HINTS.get(error.verify_code)
        return f"its certificate {hint}" if hint else f"its certificate: {printable(error.verify_message)}"
    if isinstance(error, ssl.SSLError):
        if error.reason == "WRONG_VERSION_NUMBER":
            return "no TLS there: is the port right?"
        return f"TLS: {printable((error.reason or str(error)).replace('_', ' ').lower())}"
    if isinstance(error, socket.gaierror):
        return (
            f"{printable(error.strerror or 'no such name')}: is the name right, and does the box reach its name server?"
        )
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return printable(str(error))
