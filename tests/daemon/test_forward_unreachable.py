"""What is said of a far side that cannot be reached."""

import errno
import socket
import ssl

import pytest

from torhaus.daemon.forward.unreachable import why


def refused_certificate(code: int, message: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed")
    error.verify_code, error.verify_message = code, message
    return error


def no_tls(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}] of no use to anybody")
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('192.0.2.1', 1)"), "Connection refused"),
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known: is the name right, "),
        (refused_certificate(62, "Hostname mismatch"), "its certificate is for another name than that of url"),
        (refused_certificate(10, "certificate has expired"), "its certificate has expired: renew it, "),
        (
            refused_certificate(20, "unable to get"),
            "its certificate is of an authority that is not known here: set ca_file",
        ),
        (refused_certificate(24, "invalid CA\ncertificate"), "its certificate: invalid CA?certificate"),
        (no_tls("WRONG_VERSION_NUMBER"), "no TLS there: is the port right?"),
        (no_tls("TLSV13_ALERT_CERTIFICATE_REQUIRED"), "TLS: tlsv13 alert certificate required"),
        (OSError("Multiple exceptions: \n"), "Multiple exceptions: ?"),
    ],
)
def test_in_words(error: OSError, text: str) -> None:
    assert why(error).startswith(text)
