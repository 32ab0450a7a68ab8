"""The one thread that writes. Jobs run in order; their results come back to the event loop."""

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any


class Writer:
    """A thread with a queue of jobs. `submit` never blocks; what bounds the queue is the caller's."""

    def __init__(self, name: str = "torhaus-writer") -> None:
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Any], Callable[[Any], None]] | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Run `job` on the thread, then `then(result or exception)` on the loop."""
        self._jobs.put((job, then))

    async def call(self, job: Callable[[], Any]) -> Any:  # noqa: ANN401 - the job's own result
        """Run `job` on the thread and wait for its result; its exception is raised here."""
        future: asyncio.Future[Any] = self._loop.create_future()

        def settle(result: Any) -> None:  # noqa: ANN401
            if future.cancelled():
                return
            if isinstance(result, BaseException):
                future.set_exception(result)
            else:
                future.set_result(result)

        self.submit(job, settle)
        return await future

    async def stop(self) -> None:
        """Finish the jobs that are queued, then end the thread."""
        await self.call(lambda: None)
        self._jobs.put(None)
        self._thread.join(timeout=5)

    def _work(self) -> None:
        while (work := self._jobs.get()) is not None:
            job, then = work
            try:
                result: Any = job()
            except BaseException as e:  # noqa: BLE001 - handed to the loop, which knows what to do with it
                result = e
            try:
                self._loop.call_soon_threadsafe(then, result)
            except RuntimeError:
                return  # the loop is closed: nobody is waiting any more
