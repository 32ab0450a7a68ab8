"""What goes through the delay proxy comes out whole and in order, to the end."""

import asyncio

from bench.proxy import pass_on


class Sink:
    """A writer that keeps what it is given."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.parts.append(data)

    async def drain(self) -> None:
        await asyncio.sleep(0)


def test_all_of_it_in_order() -> None:
    async def main() -> bytes:
        reader, sink = asyncio.StreamReader(), Sink()
        for n in range(200):
            reader.feed_data(b"%05d" % n * 100)
        reader.feed_eof()
        await pass_on(reader, sink, 0.0)  # type: ignore[arg-type]
        return b"".join(sink.parts)

    assert asyncio.run(main()) == b"".join(b"%05d" % n * 100 for n in range(200))
