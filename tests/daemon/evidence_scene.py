"""A journal with roots, as bytes, and the ways in which somebody could tamper with it."""

import asyncio
import hashlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec

from tests.daemon.scans_fakes import Bench, fake_pdf
from torhaus.daemon.evidence.journal import journal_lines, public_key
from torhaus.daemon.scans import evidence

DAYS = 3


class Journal:
    """Lines as they are exported; `entry` and `write` reach into them."""

    def __init__(self, lines: list[bytes]) -> None:
        self.top = [line for line in lines if not line.startswith(b'{"entry"')]
        self.entries = [line for line in lines if line.startswith(b'{"entry"')]

    def copy(self) -> "Journal":
        return Journal(self.lines())

    def lines(self) -> list[bytes]:
        return [*self.top, *self.entries]

    def raw(self, seq: int) -> bytes:
        return self.entries[seq - 1][len(b'{"entry":') : -len(b',"hash":""}\n') - 64]

    def get(self, seq: int) -> evidence.Entry:
        return msgspec.json.decode(self.raw(seq), type=evidence.Entry)

    def put(self, seq: int, raw: bytes, digest: str | None = None) -> None:
        """These bytes; with their own hash, unless another one is said."""
        digest = digest or hashlib.sha256(raw).hexdigest()
        self.entries[seq - 1] = b'{"entry":' + raw + b',"hash":"' + digest.encode() + b'"}\n'

    def hash(self, seq: int) -> str:
        return hashlib.sha256(self.raw(seq)).hexdigest()

    def seqs(self, event: str) -> list[int]:
        return [n for n in range(1, len(self.entries) + 1) if self.get(n).event == event]

    def rechain(self, change: Callable[[evidence.Entry], evidence.Entry] = lambda e: e) -> None:
        """What a forger with root would do: number and chain all entries anew."""
        prev = evidence.ZERO.hex()
        for n in range(1, len(self.entries) + 1):
            entry = msgspec.structs.replace(change(self.get(n)), prev=prev, seq=n)
            raw = msgspec.json.encode(entry, order="sorted")
            self.put(n, raw)
            prev = hashlib.sha256(raw).hexdigest()


async def some_days(b: Bench, days: int = DAYS) -> None:
    """Two documents a day, and a root at each midnight."""
    for day in range(days):
        for n in range(2):
            b.put(f"secret name {day}{n}.pdf", fake_pdf((day, n)))
        await b.look()
        await b.deliver()
        await b.queue.record_head()
        b.clock.pass_s(86_400)
    await b.queue.record_head()


def read(root: Path) -> Journal:
    """What is in a bench's store."""
    scans = root / "state/scans"
    conn = sqlite3.connect(scans / "scans.db")
    try:
        return Journal(list(journal_lines(conn, evidence.recorded_head(scans), public_key(conn))))
    finally:
        conn.close()


def journal_of(root: Path) -> Journal:
    """That of a bench that has worked for some days."""

    async def go() -> None:
        async with Bench(root) as b:
            await some_days(b)

    asyncio.run(go())
    return read(root)
