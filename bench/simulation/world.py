"""All pools of a plan, which share nothing, one after the other or on several processors."""

import gc
import time
from concurrent.futures import ProcessPoolExecutor

from bench.simulation import assumptions
from bench.simulation.plan import Plan
from bench.simulation.pool import Pool
from bench.simulation.tally import Tally


def play(plan: Plan, *, processes: int = 1) -> tuple[Tally, float]:
    """Plays a plan; its counts, and the real seconds that it took."""
    began = time.process_time()
    whole = Tally()
    if processes > 1:
        with ProcessPoolExecutor(processes) as workers:
            for tally in workers.map(_pool, [plan] * plan.pools, range(plan.pools)):
                whole.add(tally)
    else:
        for number in range(plan.pools):
            whole.add(_pool(plan, number))
    return whole, time.process_time() - began


def _pool(plan: Plan, number: int) -> Tally:
    pool = Pool(plan, number, assumptions.read(plan.network))
    # Nothing of it is garbage until it is over, and there is much of it.
    gc.disable()
    try:
        return pool.run()
    finally:
        gc.enable()
        gc.collect()
