"""What drivers say of their links and devices: facts with their figures, which are sentences in English, too.

A `Said` is a text like any other for whoever logs or prints it. Who speaks another language takes `kind` and `values`
instead and says them in his own words. It is a text in memory only: what is stored or encoded is `str()` of it.
"""

import errno
import os
import socket
from collections.abc import Mapping
from typing import Final, Self

Value = str | int | float

WORDS: Final[dict[str, str]] = {
    "starting": "starting",
    "ended": "ended",
    # links
    "at": "{at}: {what}",
    "silent": "silent for {s:g} s",
    "takes_nothing": "takes no data for {s:g} s",
    "no_new_rate": "no new rate within {s:g} s",
    "no_answer": "no answer within {s:g} s",
    "closed": "closed",
    "closed_there": "closed by the far side",
    "hung_up": "hung up; was it unplugged?",
    "capture_ended": "the capture has ended",
    "port_missing": "no such port; is the device plugged in?",
    "port_denied": "permission denied; add the user that torhaus runs as to group {group}",
    "port_forbidden": "not permitted; allow it in the unit (DeviceAllow=)",
    "port_busy": "in use by another program",
    "port_gone": "gone; was it unplugged?",
    "port_settings": "does not take these settings; do speed, bits and parity in the link suit it?",
    "port_none": "not a serial port",
    "no_rfc2217": "does not speak RFC 2217; a plain converter is tcp://",
    "line_refused": "refuses the settings of the line",
    # servers
    "cannot_listen": "cannot listen on {listen}: {why}",
    "socket_closed": "socket closed: {why}",
    "certificate": "certificate or key cannot be used: {why}",
    "udp_port": "UDP port {port}",
    "tcp_port": "TCP port {port}",
    "tls_port": "TLS port {port}",
    # receivers, brokers, Concentratord
    "no_receiver": "no answer of a receiver {receiver} within {s:g} s",
    "not_subscribed": "the broker does not let us subscribe to {topic}",
    "qos_0": "the broker delivers at QoS 0 only: what comes while nobody is here is lost",
    "too_long": "a message of {size} bytes: at most {most} are taken",
    "not_stored": "could not be stored: the broker is asked for it again",
    "no_socket": "there is no socket {path}: Concentratord is not running, or this service does not see that folder",
    "socket_denied": "the socket {path} may not be written to by this service's user",
    "no_concentratord": "no answer at {url}: is Concentratord running?",
    "odd_concentratord": "{url} does not answer with a gateway's id: is it Concentratord 4.5 or newer?",
    "events": "events come",
    "events_but": "events come, but {why}",
    "gateway": "gateway {gateway}",
    "other_gateway": "gateway {gateway}, not {expected}",
    # devices that are asked
    "unit": "unit {unit}: {what}",
    "address": "address {address}: {what}",
    "nobody": "nobody has this address, or does not hear",
    "stops": "stops in the middle of its answer",
    "several": "several meters answer",
    "odd_answer": "an answer that is none: {why}",
    "no_model": "a SunSpec device without any of the map's models",
    "no_sunspec": "not a SunSpec device (no marker at 40000, 50000 or 0)",
    # the system's own words
    "ECONNREFUSED": "Connection refused",
    "ECONNRESET": "Connection reset by peer",
    "EPIPE": "Broken pipe",
    "ETIMEDOUT": "Connection timed out",
    "EHOSTUNREACH": "No route to host",
    "ENETUNREACH": "Network is unreachable",
    "EADDRINUSE": "Address already in use",
    "EADDRNOTAVAIL": "Cannot assign requested address",
    "EACCES": "Permission denied",
    "ENOENT": "No such file or directory",
    "EIO": "Input/output error",
    "EAI_NONAME": "Name or service not known",
    "EAI_AGAIN": "Temporary failure in name resolution",
}
"""The English sentences by kind; the page's catalogues have the same kinds (`said.<kind>`)."""


class Said(str):
    """One thing that is said. `values` may be said themselves."""

    __slots__ = ("kind", "values")
    kind: str
    values: Mapping[str, Value]

    def __new__(cls, kind: str, **values: Value) -> Self:
        """The sentence. KeyError for a kind, or a value of one, that is not there."""
        made = super().__new__(cls, WORDS[kind].format(**values))
        made.kind, made.values = kind, values
        return made


class Telling(Exception):  # noqa: N818 - a base only
    """An exception that may be told as Said: `str()` of it is a plain text."""

    @property
    def detail(self) -> str:
        """What was said."""
        return self.args[0] if self.args and isinstance(self.args[0], str) else str(self)


def about(name: str, what: str) -> Said:
    """Of a link by its name."""
    return Said("at", at=name, what=what)


def system(error: OSError) -> str:
    """The system's words for a fault, without addresses or numbers."""
    if isinstance(error, socket.gaierror):
        name = {socket.EAI_NONAME: "EAI_NONAME", socket.EAI_AGAIN: "EAI_AGAIN"}.get(error.errno or 0, "")
        return Said(name) if name else error.strerror or str(error)
    if not error.errno or error.errno < 0:
        return error.strerror or str(error) or type(error).__name__
    name = errno.errorcode.get(error.errno, "")
    return Said(name) if name in WORDS else os.strerror(error.errno)
