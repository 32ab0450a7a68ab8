"""Points in time as HTTP writes them."""

from email.utils import formatdate


def http_date(at_ns: int) -> str:
    """RFC 9110 §5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`."""
    return formatdate(at_ns / 1e9, usegmt=True)
