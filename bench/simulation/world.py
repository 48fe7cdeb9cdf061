"""All pools of a plan, which share nothing, one after the other or on several processors."""

import gc
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext

from bench.simulation import assumptions
from bench.simulation.plan import Plan
from bench.simulation.pool import Pool
from bench.simulation.tally import Tally


def play(plan: Plan, *, processes: int = 1) -> tuple[Tally, float, float]:
    """Plays a plan; its counts, and the real seconds and the processor's seconds that it took."""
    began = time.perf_counter()
    whole, processor = Tally(), 0.0
    pools = range(plan.played or plan.pools)
    with ProcessPoolExecutor(processes) if processes > 1 else nullcontext() as workers:
        results = (
            map(_pool, [plan] * len(pools), pools)
            if workers is None
            else workers.map(_pool, [plan] * len(pools), pools)
        )
        for tally, seconds in results:
            whole.add(tally)
            processor += seconds
    return whole, time.perf_counter() - began, processor


def _pool(plan: Plan, number: int) -> tuple[Tally, float]:
    began = time.process_time()
    pool = Pool(plan, number, assumptions.read(plan.network))
    # Nothing of it is garbage until it is over, and there is much of it.
    gc.disable()
    try:
        return pool.run(), time.process_time() - began
    finally:
        gc.enable()
        gc.collect()
