"""Failed sign-ins are few: of one address and for one name only so many within a while. Bounded, whoever tries."""

from collections import OrderedDict, deque
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Final

WINDOW_S: Final = 900.0
BY_ADDRESS: Final = 10
BY_NAME: Final = 30
"""More than from one address: nobody is to keep somebody else out from a single place."""
MAX_KEYS: Final = 1024
_NETWORK: Final = 64


class Failures:
    """Who failed lately. `boot_ns` never steps."""

    def __init__(self, boot_ns: Callable[[], int]) -> None:
        self._boot_ns = boot_ns
        self._by: OrderedDict[tuple[str, str], deque[int]] = OrderedDict()

    def wait_s(self, address: str, name: str) -> float:
        """For how long no more is tried; 0: it may be tried now."""
        waits = [self._wait_s(key, most) for key, most in self._keys(address, name)]
        return max(waits)

    def failed(self, address: str, name: str) -> None:
        """Once more."""
        for key, most in self._keys(address, name):
            times = self._by.pop(key, None) or deque(maxlen=most)
            times.append(self._boot_ns())
            self._by[key] = times
        while len(self._by) > MAX_KEYS:
            self._by.popitem(last=False)

    def succeeded(self, address: str, name: str) -> None:
        """It was the right one: what went before was a slip."""
        for key, _ in self._keys(address, name):
            self._by.pop(key, None)

    def _keys(self, address: str, name: str) -> tuple[tuple[tuple[str, str], int], tuple[tuple[str, str], int]]:
        return (("from", network_of(address)), BY_ADDRESS), (("name", name[:64]), BY_NAME)

    def _wait_s(self, key: tuple[str, str], most: int) -> float:
        times = self._by.get(key)
        if times is None or len(times) < most:
            return 0.0
        return max(0.0, WINDOW_S - (self._boot_ns() - times[0]) / 1e9)


def network_of(address: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 one: whoever has one of its addresses has them all."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(IPv6Address(int(found) >> _NETWORK << _NETWORK))
    return str(found)
