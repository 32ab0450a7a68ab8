"""Pure decoding: bytes in, values out. No I/O, no clock, no logging; only DecodeError leaves this package."""
