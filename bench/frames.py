"""Datagrams of simulated gateways, made ahead and kept in files: signing frames must not be what is measured.

A file holds datagrams one after the other, each behind its length (two bytes, little-endian).
"""

import os
import struct
from array import array
from pathlib import Path
from typing import Final

import msgspec

from bench.processes import BUILD
from torhaus.daemon.demo.gateway import push_data
from torhaus.daemon.demo.sensors import Sensor

FOLDER: Final = BUILD / "bench-frames"
_LENGTH: Final = struct.Struct("<H")


class Traffic(msgspec.Struct, frozen=True):
    """Which uplinks: `count` of them, round robin over devices; uplink n is device n % devices, counter n // devices.

    `first` is the number of the first one (a multiple of `devices`).
    """

    count: int
    devices: int = 1000
    gateways: int = 10
    per_datagram: int = 1
    first: int = 0

    def file(self) -> Path:
        """The datagrams on disk, made when they are not there yet."""
        path = FOLDER / ("-".join(str(getattr(self, f)) for f in self.__struct_fields__) + ".bin")
        if not path.exists():
            FOLDER.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_suffix(f".{os.getpid()}")
            with unfinished.open("wb") as f:
                for n in range(0, self.count, self.per_datagram):
                    datagram = self._datagram(n)
                    f.write(_LENGTH.pack(len(datagram)) + datagram)
            unfinished.rename(path)
        return path

    def _datagram(self, n: int) -> bytes:
        numbers = range(self.first + n, self.first + min(n + self.per_datagram, self.count))
        phys = []
        for number in numbers:
            sensor = _sensor(number % self.devices)
            sensor.fcnt = number // self.devices
            phys.append(sensor.uplink())
        datagram = n // self.per_datagram
        gateway = datagram % self.gateways
        return push_data(f"aa555a00000{gateway:05x}", 1 + gateway % 2, datagram & 0xFFFF, phys)


_sensors: Final[dict[int, Sensor]] = {}


def _sensor(index: int) -> Sensor:
    if index not in _sensors:
        _sensors[index] = Sensor(index)
    return _sensors[index]


def offsets(data: memoryview) -> "array[int]":
    """Where each datagram begins, and at the end where one more would."""
    out, at, size = array("Q"), 0, len(data)
    while at < size:
        out.append(at + _LENGTH.size)
        at += _LENGTH.size + _LENGTH.unpack_from(data, at)[0]
    out.append(size + _LENGTH.size)
    return out
