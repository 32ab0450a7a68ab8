import asyncio
import threading

import pytest

from tests.drivers.fakes import run
from torhaus.drivers.links.worker import Worker


def test_calls_are_made_in_order_on_one_thread_of_their_own() -> None:
    async def main() -> None:
        worker, threads = Worker("test"), list[str]()

        def note(word: str) -> str:
            threads.append(threading.current_thread().name)
            return word

        assert [await worker.call(note, word) for word in ("a", "b")] == ["a", "b"]
        await asyncio.wrap_future(worker.leave(lambda: None))
        assert len(set(threads)) == 1
        assert threads[0].startswith("test")

    run(main())


def test_what_a_call_raises_reaches_the_caller() -> None:
    async def main() -> None:
        worker = Worker("test")
        with pytest.raises(ZeroDivisionError):
            await worker.call(divmod, 1, 0)
        await asyncio.wrap_future(worker.leave(lambda: None))

    run(main())


def test_after_a_cancelled_call_the_last_one_is_still_made() -> None:
    async def main() -> None:
        worker, done = Worker("test"), list[str]()
        begun, may_end = threading.Event(), threading.Event()

        def slow() -> None:
            begun.set()
            assert may_end.wait(60)
            done.append("slow")

        async with asyncio.TaskGroup() as tasks:
            calling = tasks.create_task(worker.call(slow))
            await asyncio.to_thread(begun.wait)
            calling.cancel()
        assert calling.cancelled()
        last = worker.leave(lambda: done.append("last"))
        may_end.set()
        await asyncio.wrap_future(last)
        assert done == ["slow", "last"]

    run(main())
