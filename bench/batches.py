"""Many datagrams in one system call: sendmmsg(2) and recvmmsg(2) by ctypes, on 64-bit Linux.

A generator that calls `sendto` for each datagram takes as much of a core as the daemon it is to measure.
"""

import ctypes
import mmap
import os
import socket
import struct
from array import array
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

MOST: Final = 64
"""Datagrams in one call."""
_ANSWER_BYTES: Final = 16
_MSGHDR: Final = struct.Struct("@QIxxxxQQQQixxxxIxxxx")  # struct mmsghdr: msghdr, length received
_IOVEC: Final = struct.Struct("@QQ")
_LENGTH_AT: Final = 56


class Sender:
    """Sends from mapped memory through a connected UDP socket."""

    def __init__(self, sock: socket.socket, data: mmap.mmap, starts: "array[int]") -> None:
        self._fd = sock.fileno()
        self._starts = starts
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._map = (ctypes.c_char * len(data)).from_buffer(data)
        self._base = ctypes.addressof(self._map)
        self._iovecs = ctypes.create_string_buffer(_IOVEC.size * MOST)
        self._headers = _headers(ctypes.addressof(self._iovecs))

    def send(self, first: int, count: int) -> int:
        """Send datagrams from number `first` on; how many left (0: the socket's buffer is full). Raises OSError."""
        count = min(count, MOST)
        starts = self._starts[first : first + count + 1]
        values = [v for a, b in pairwise(starts) for v in (self._base + a, b - a - 2)]
        struct.pack_into(f"@{2 * count}Q", self._iovecs, 0, *values)
        sent = self._libc.sendmmsg(self._fd, self._headers, count, socket.MSG_DONTWAIT)
        return _result(sent)


class Receiver:
    """Receives short answers."""

    def __init__(self, sock: socket.socket) -> None:
        self._fd = sock.fileno()
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._answers = ctypes.create_string_buffer(_ANSWER_BYTES * MOST)
        base = ctypes.addressof(self._answers)
        self._iovecs = ctypes.create_string_buffer(_IOVEC.size * MOST)
        for i in range(MOST):
            _IOVEC.pack_into(self._iovecs, i * _IOVEC.size, base + i * _ANSWER_BYTES, _ANSWER_BYTES)
        self._headers = _headers(ctypes.addressof(self._iovecs))

    def receive(self) -> Iterator[bytes]:
        """What is there, one call's worth: each answer's first 16 bytes. Raises OSError."""
        got = _result(self._libc.recvmmsg(self._fd, self._headers, MOST, socket.MSG_DONTWAIT, None))
        raw = self._answers.raw
        for i in range(got):
            length: int = struct.unpack_from("@I", self._headers, i * _MSGHDR.size + _LENGTH_AT)[0]
            yield raw[i * _ANSWER_BYTES : i * _ANSWER_BYTES + min(length, _ANSWER_BYTES)]


def _headers(iovecs: int) -> "ctypes.Array[ctypes.c_char]":
    out = ctypes.create_string_buffer(_MSGHDR.size * MOST)
    for i in range(MOST):
        _MSGHDR.pack_into(out, i * _MSGHDR.size, 0, 0, iovecs + i * _IOVEC.size, 1, 0, 0, 0, 0)
    return out


def _result(count: int) -> int:
    if count >= 0:
        return count
    number = ctypes.get_errno()
    if number in {11, 105}:  # EAGAIN, ENOBUFS
        return 0
    raise OSError(number, os.strerror(number))
