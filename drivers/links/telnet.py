"""Telnet's escapes taken out of a byte stream (RFC 854, RFC 855): data on one side, commands on the other. No I/O.

ff ff            the data byte ff
ff fb..fe oo     WILL, WONT, DO, DONT option oo
ff fa … ff f0    subnegotiation; ff ff inside is the byte ff
ff xx            any other command: of no interest here
"""

from typing import Final

import msgspec

MAX_SUBNEGOTIATION: Final = 512
"""Bytes; those of RFC 2217 have at most six, its signature a line of text. A longer one is dropped."""

IAC: Final = 0xFF
_SB: Final = 0xFA
_SE: Final = 0xF0
_VERBS: Final = range(0xFB, 0xFF)


class Negotiation(msgspec.Struct, frozen=True, gc=False):
    """`verb` is WILL, WONT, DO or DONT; each is one byte."""

    verb: bytes
    option: bytes


class Subnegotiation(msgspec.Struct, frozen=True, gc=False):
    """What stood between IAC SB and IAC SE, not empty."""

    data: bytes


class Telnet:
    """Feed it the stream in any chunks. It never raises; a stray command is ignored."""

    __slots__ = ("_escaped", "_sub", "_verb")

    def __init__(self) -> None:
        self._escaped = False  # the byte before was IAC
        self._verb: int | None = None  # the option of this verb comes next
        self._sub: bytearray | None = None  # inside a subnegotiation

    def feed(self, data: bytes) -> tuple[bytes, list[Negotiation | Subnegotiation]]:
        """The data bytes among the next bytes of the stream, and the commands, each in order."""
        if IAC not in data and not self._escaped and self._verb is None and self._sub is None:
            return data, []
        payload, commands = bytearray(), list[Negotiation | Subnegotiation]()
        for byte in data:
            if self._verb is not None:
                commands.append(Negotiation(bytes((self._verb,)), bytes((byte,))))
                self._verb = None
            elif self._escaped:
                self._escaped = False
                self._command(byte, payload, commands)
            elif byte == IAC:
                self._escaped = True
            else:
                self._data(byte, payload)
        return bytes(payload), commands

    def _command(self, byte: int, payload: bytearray, commands: list[Negotiation | Subnegotiation]) -> None:
        if byte == IAC:
            self._data(byte, payload)
        elif byte in _VERBS:
            self._verb = byte
        elif byte == _SB:
            self._sub = bytearray()
        elif byte == _SE:
            if self._sub and len(self._sub) <= MAX_SUBNEGOTIATION:
                commands.append(Subnegotiation(bytes(self._sub)))
            self._sub = None

    def _data(self, byte: int, payload: bytearray) -> None:
        if self._sub is None:
            payload.append(byte)
        elif len(self._sub) <= MAX_SUBNEGOTIATION:  # one more than is allowed marks it as too long
            self._sub.append(byte)
