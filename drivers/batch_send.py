"""Many small datagrams with one system call: sendmmsg(2).

A gateway's acknowledgements leave when a commit is over, hundreds at a time on a busy site, and a system call for each
costs more than all that is done to make it. Where there is no sendmmsg, or the machine lays out its structures in
another way, nothing is sent here and the caller does it one by one.
"""

import ctypes
import socket
import struct
import sys
from typing import Any, Final

MAX_BATCH: Final = 64
MAX_BYTES: Final = 64
"""The longest datagram that is sent in this way."""
MAX_ADDRESSES: Final = 1024
"""Addresses kept in the form in which the kernel takes them; then all are made anew."""

# struct mmsghdr of a 64-bit Linux: name and its length, iovec and their number, control data, flags; bytes sent
_HEADER: Final = struct.Struct("=QI4xQQQQi4xI4x")
_NAME: Final = struct.Struct("=QI")
_IOVEC: Final = struct.Struct("=QQ")
_IPV4: Final = struct.Struct("=H2s4s8x")  # struct sockaddr_in
_IPV6: Final = struct.Struct("=H2sI16sI")  # struct sockaddr_in6

Address = tuple[Any, ...]


def _find_sendmmsg() -> Any:  # noqa: ANN401 - a C function
    if sys.platform != "linux" or ctypes.sizeof(ctypes.c_void_p) != 8:
        return None
    return getattr(ctypes.CDLL(None, use_errno=True), "sendmmsg", None)


_sendmmsg: Final = _find_sendmmsg()


class BatchSender:
    """For one UDP socket, which stays the caller's."""

    def __init__(self, sock: socket.socket) -> None:
        self._descriptor = sock.fileno()
        self._is_ipv6 = sock.family == socket.AF_INET6
        self._names: dict[Address, tuple[int, int, object]] = {}  # where it is, its length, and what keeps it there
        self._data = ctypes.create_string_buffer(MAX_BATCH * MAX_BYTES)
        self._view = memoryview(self._data).cast("B")
        self._iovecs = ctypes.create_string_buffer(MAX_BATCH * _IOVEC.size)
        self._headers = ctypes.create_string_buffer(MAX_BATCH * _HEADER.size)
        iovecs = ctypes.addressof(self._iovecs)
        for i in range(MAX_BATCH):
            _HEADER.pack_into(self._headers, i * _HEADER.size, 0, 0, iovecs + i * _IOVEC.size, 1, 0, 0, 0, 0)

    def send(self, items: list[tuple[bytes, Address]]) -> int:
        """Send the first of these datagrams, MAX_BATCH at most. How many went; the caller has to send the others."""
        if _sendmmsg is None:
            return 0
        data = ctypes.addressof(self._data)
        n = 0
        used = []  # they must outlast the call, also if `_names` is cleared meanwhile
        for payload, address in items[:MAX_BATCH]:
            name = self._names.get(address) or self._name(address)
            if name is None or len(payload) > MAX_BYTES:
                break
            used.append(name)
            at = n * MAX_BYTES
            self._view[at : at + len(payload)] = payload
            _IOVEC.pack_into(self._iovecs, n * _IOVEC.size, data + at, len(payload))
            _NAME.pack_into(self._headers, n * _HEADER.size, name[0], name[1])
            n += 1
        return max(0, _sendmmsg(self._descriptor, self._headers, n, socket.MSG_DONTWAIT)) if n else 0

    def _name(self, address: Address) -> tuple[int, int, object] | None:
        """An address as a struct sockaddr; None for one that cannot be made."""
        try:
            if self._is_ipv6:
                host, port, flow, scope = address
                family, packed = socket.AF_INET6, socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
                raw = _IPV6.pack(family, port.to_bytes(2, "big"), socket.htonl(flow), packed, scope)
            else:
                raw = _IPV4.pack(socket.AF_INET, address[1].to_bytes(2, "big"), socket.inet_aton(address[0]))
        except (ValueError, OSError, OverflowError):
            return None
        if len(self._names) >= MAX_ADDRESSES:
            self._names.clear()
        buffer = ctypes.create_string_buffer(raw, len(raw))
        self._names[address] = found = (ctypes.addressof(buffer), len(raw), buffer)
        return found
