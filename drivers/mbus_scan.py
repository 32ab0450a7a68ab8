"""Who is on a wired M-Bus: every primary address is tried, or secondary addresses are searched digit by digit.

After EN 13757-3:2018, wildcard search. A selection that one meter matches is answered cleanly; one that several match
ends in a collision, or in one answer after the other, and is narrowed by the next digit of the number.
"""

from collections.abc import AsyncIterator, Callable
from typing import Final

import msgspec

from torhaus.codecs.framing.mbus import NETWORK_LAYER, unwrap
from torhaus.codecs.framing.mbus_address import Address, Secondary
from torhaus.drivers.mbus_talk import Heard, Talk
from torhaus.drivers.polling import NoAnswer

MAX_UNCLEAR: Final = 10
"""Addresses with nothing but noise at which a search gives up: it would go on for a hundred million of them."""
DIGITS_TOLD: Final = 4
"""Digits of the number by which progress is told."""

Told = Callable[[int, int], None]
"""So much is done, of how much."""


class Found(msgspec.Struct, frozen=True, gc=False):
    """Somebody. `secondary`: who it says it is; `detail`: why that is not known."""

    address: Address
    secondary: Secondary | None = None
    detail: str = ""


async def primary(talk: Talk, first: int, last: int, told: Told) -> AsyncIterator[Found]:
    """Everybody with a primary address from `first` to `last`. Raises DriverGone."""
    for n, address in enumerate(range(first, last + 1)):
        told(n, last - first + 1)
        heard = await talk.reset(address)
        if heard is Heard.NOTHING:
            heard = await talk.reset(address)  # one lost byte must not hide a meter
        if heard is Heard.NOTHING:
            continue
        try:
            frame = await talk.request(address, alone=True)
        except NoAnswer as error:
            yield Found(address, None, f"{error}: several meters with this address, or another rate?")
        else:
            yield Found(address, Secondary.of(unwrap(frame)))
        talk.rejects.clear()


async def secondary(talk: Talk, mask: Secondary, told: Told) -> AsyncIterator[Found]:
    """Everybody who matches the mask. Raises DriverGone, and NoAnswer when there is nothing but noise."""
    waiting, unclear = [mask], 0
    while waiting:
        mask = waiting.pop()
        told(int(mask.number[:DIGITS_TOLD].replace("F", "0")), 10**DIGITS_TOLD)
        heard = await talk.select(mask)
        if heard is Heard.NOTHING:
            heard = await talk.select(mask)
        if heard is Heard.NOTHING:
            continue
        try:
            frame = await talk.request(NETWORK_LAYER, mask=mask, alone=True)
        except NoAnswer as error:
            talk.rejects.clear()
            narrower = mask.narrowed()
            waiting += reversed(narrower)
            if narrower:
                continue
            yield Found(mask, None, f"{error}: several meters with this number?")
            unclear += 1
        else:
            who = Secondary.of(unwrap(frame))
            yield Found(who if who is not None else mask, who)
        if unclear == MAX_UNCLEAR:
            raise NoAnswer(f"{MAX_UNCLEAR} addresses with nothing but noise: wrong rate or parity, or faulty wiring?")
