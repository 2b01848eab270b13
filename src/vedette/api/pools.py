"""Where handlers run: three pools of threads, so that a rush of hunting queries cannot starve token requests."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
from anyio import CapacityLimiter, to_thread

from vedette.api.http import ApiResponse
from vedette.contracts.operations import Limiter

CONTROL_THREADS = 40

Work = Callable[[], ApiResponse]


class PoolSizes(msgspec.Struct, frozen=True):
    """How many handlers of a kind run at once."""

    hunting: int = os.cpu_count() or 1
    crypto: int = os.cpu_count() or 1


class WorkerPools:
    """The pools of one process."""

    def __init__(self, sizes: PoolSizes) -> None:
        self._sizes = sizes
        self._limiters: dict[Limiter, CapacityLimiter] | None = None
        self._crypto = ThreadPoolExecutor(sizes.crypto, "crypto")

    async def run(self, work: Work, limiter: Limiter) -> ApiResponse:
        """What `work` answers, from a thread of that pool."""
        return await to_thread.run_sync(work, limiter=self._limiter(limiter))

    async def run_short(self, work: Work) -> ApiResponse:
        """Many and short: half the price of a thread of anyio's; one that nobody waits for any more just ends."""
        return await asyncio.get_running_loop().run_in_executor(self._crypto, work)

    async def check(self, work: Callable[[], None]) -> None:
        """What has to be settled before a request may wait for its turn."""
        await to_thread.run_sync(work, limiter=self._limiter("control"))

    def _limiter(self, name: Limiter) -> CapacityLimiter:
        if self._limiters is None:  # made inside the event loop they belong to
            self._limiters = {
                "control": CapacityLimiter(CONTROL_THREADS),
                "hunting": CapacityLimiter(self._sizes.hunting),
                "crypto": CapacityLimiter(self._sizes.crypto),
            }
        return self._limiters[name]
