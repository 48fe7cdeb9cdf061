"""What happens at a time while an arm runs: faults of the model service, parts and workers that die."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx2

from bench.lab.facts import Outage
from bench.lab.scenario import Event, Scenario
from bench.lab.stack import LabStack

WITHOUT_APP = {"fault"}
"""Actions that concern an arm that is only a client of the model service."""


class Events:
    """Carries out a scenario's events on a stack, and notes what really happened.

    Attributes:
        outages: The spans in which less than the quota was there.
        log: One line an event, for the result file.
    """

    def __init__(self, scenario: Scenario, stack: LabStack) -> None:
        self._scenario, self._stack = scenario, stack
        self.outages: list[Outage] = []
        self.log: list[dict[str, Any]] = []

    async def play(self, began: float) -> None:
        """All events at their times; returns when the last one is over."""
        async with asyncio.TaskGroup() as group:
            for event in self._scenario.events:
                if self._stack.app_too or event.do in WITHOUT_APP:
                    group.create_task(self._at(began, event))

    async def _at(self, began: float, event: Event) -> None:
        await asyncio.sleep(max(0.0, began + event.at - time.time()))
        begins = time.time()
        if event.outage is not None:
            self.outages.append(Outage(begins, begins + event.outage.seconds, event.outage.permitted_share))
        actions: dict[str, Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]]] = {
            "fault": self._fault,
            "container_fault": self._container_fault,
            "kill_part": self._kill_part,
            "kill_workers": self._kill_workers,
        }
        told = await actions[event.do](event.options)
        ends = time.time()
        self.log.append({"at": round(begins - began, 2), "do": event.do, "lasted": round(ends - begins, 2), **told})

    async def _fault(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """A fault of the simulator, in its own words; see `local/openai/COVERAGE.md`."""
        async with httpx2.AsyncClient() as client:
            reply = await client.post(f"{self._stack.model_url()}/_sim/faults", json=dict(options["fault"]))
        reply.raise_for_status()
        return {"fault": dict(options["fault"])}

    async def _container_fault(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """One container of the store answers 503 for `seconds`."""
        rule = {"status": 503, "count": 1_000_000, "container": options["container"]}
        url = f"{self._stack.parts['store'].url}/_sim/faults"
        async with httpx2.AsyncClient() as client:
            (await client.post(url, json=rule)).raise_for_status()
            await asyncio.sleep(options["seconds"])
            (await client.delete(url)).raise_for_status()
        return {"container": options["container"]}

    async def _kill_part(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """`kill -9` of the broker or the store, and a new start after `seconds`."""
        part = options["part"]
        await asyncio.to_thread(self._stack.parts[part].kill)
        await asyncio.sleep(options["seconds"])
        await asyncio.to_thread(getattr(self._stack, f"start_{part}"))
        return {"part": part}

    async def _kill_workers(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """`kill -9` of one worker process after another until `until_cut` answers were cut, `most_seconds` at most.

        Each time the one is taken that has lived longest, when at least `least_in_flight` answers are under way.
        """
        until, killed = time.time() + options["most_seconds"], list[int]()
        while time.time() < until and (cut := await asyncio.to_thread(self._cut)) < options["until_cut"]:
            alive = [pid for pid in await asyncio.to_thread(self._stack.workers) if pid not in killed]
            if alive and await asyncio.to_thread(self._stack.in_flight) >= options["least_in_flight"]:
                os.kill(alive[0], signal.SIGKILL)
                killed.append(alive[0])
                await asyncio.sleep(options["every_seconds"])
            await asyncio.sleep(0.2)
        cut = await asyncio.to_thread(self._cut)
        return {"killed": len(killed), "calls_cut": cut}

    def _cut(self) -> int:
        return int(self._stack.sums()["outcomes"].get("client_closed", 0))
