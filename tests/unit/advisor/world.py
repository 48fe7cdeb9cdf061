"""Turns of an imagined installation, made without the advisor's knowledge: what each part takes, drawn and added up.

The same seed draws the same turns, so that the world without a fault says what removing the fault truly saves.
"""

import dataclasses
import random
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Place:
    """A deployment: milliseconds to reach it, to its first token, for a token of the prompt and of the answer."""

    region: str = "swedencentral"
    reach: float = 8.0
    first: float = 250.0
    prompt_token: float = 0.05
    token: float = 12.0
    weight: float = 1.0
    answer: float = 80.0


@dataclass(frozen=True)
class World:
    """Medians in milliseconds or tokens; shares from 0 to 1."""

    places: tuple[tuple[str, Place], ...] = (("alpha", Place()), ("beta", Place()))
    send: float = 20.0
    upload: float = 0.5
    write: float = 5.0
    history: float = 8.0
    embedding: float = 30.0
    search: float = 18.0
    one_by_one: bool = False
    instructions: int = 180
    queued: float = 0.0
    lane: float = 15.0
    cold: float = 0.0
    cold_ms: float = 2500.0
    sleeps: float = 0.0
    sleep_ms: float = 4000.0
    relay: float = 6.0
    failing: float = 0.0
    failing_ms: float = 900.0

    def turns(self, count: int, seed: int) -> list[dict[str, Any]]:
        """Records as the turn store keeps them."""
        return [self._turn(random.Random(f"{seed}:{number}"), number) for number in range(count)]

    def but(self, **changes: Any) -> "World":
        return dataclasses.replace(self, **changes)

    def _turn(self, draw: random.Random, number: int) -> dict[str, Any]:
        def took(middle: float, spread: float = 0.25) -> float:
            return middle * draw.lognormvariate(0, spread)

        names, places = zip(*self.places, strict=True)
        where = draw.random() * sum(place.weight for place in places)
        index = 0
        while where > places[index].weight:
            where -= places[index].weight
            index += 1
        name, place = names[index], places[index]
        is_queued, is_cold = draw.random() < self.queued, draw.random() < self.cold
        sleeps, fails = draw.random() < self.sleeps, draw.random() < self.failing
        question = int(took(60, 1.0)) + draw.choice((0, 0, 200, 400))
        prompt, answer = self.instructions + 350 + question, max(2, int(took(place.answer, 0.12)))
        steps, context = self._context(took)
        parts = [("client_send", took(self.send)), ("receive", took(self.upload)), ("validation", 0.3)]
        if is_cold:
            parts.insert(1, ("start", took(self.cold_ms)))
        parts.append(("admission", 1.0))
        if is_queued:
            parts += [("store_accept", took(self.write)), ("enqueue", 3.0), ("queue", took(self.lane))]
        if sleeps:
            parts += [("earlier_runs", took(20)), ("deferral", took(self.sleep_ms))]
        parts.append(("dispatch", took(self.write) if is_queued else 0.2))
        parts += [("context", context), ("prompt", 1.0)]
        if fails:
            parts.append(("retry", took(self.failing_ms)))
        first = took(place.first) + place.prompt_token * prompt
        parts += [("grant", 0.4), ("connect", took(place.reach, 0.1)), ("first_token", first)]
        if not is_queued:
            # The write began with the run; a slow one is waited for when the first token is there.
            left = took(self.write) - context - first
            parts.append(("store_accept", max(0.0, left)))
        parts += [("stream", took(place.token, 0.05) * (answer - 1)), ("store", took(self.write) + took(self.write))]
        parts.append(("relay", took(self.relay) if is_queued else 0.1))
        return {
            "path": "queued" if is_queued else "direct",
            "model": "gpt-4o-mini",
            "deployment": name,
            "usage": {"input_tokens": prompt, "output_tokens": answer, "cached_tokens": 0},
            "citations": [{"id": f"page-{number % 4}"}],
            "attempts": [{"outcome": "ignored"}] * fails + [{"outcome": "success"}],
            "timeline": {
                "total_ms": sum(length for _, length in parts),
                "stages": [{"name": stage, "duration_ms": length} for stage, length in parts],
                "steps": steps,
                "prompt": {"tokens": prompt, "stable_tokens": self.instructions},
                "tokens": {"pieces": answer},
                "deployment": name,
                "region": place.region,
                "complete": True,
                **({"cold_start": True} if is_cold else {}),
            },
        }

    def _context(self, took: Any) -> tuple[list[dict[str, Any]], float]:
        history, embedding, search = took(self.history), took(self.embedding), took(self.search)
        begin = history if self.one_by_one else 0.0

        def step(name: str, start: float, length: float, **more: Any) -> dict[str, Any]:
            return {"name": name, "start_ms": start, "duration_ms": length, **more}

        steps = [
            step("history", 0.0, history),
            step("embedding", begin, embedding, part_of="knowledge"),
            step("search", begin + embedding, search, part_of="knowledge", needs=["embedding"]),
            step("knowledge", begin, embedding + search),
        ]
        return steps, max(history, begin + embedding + search)


HEALTHY = World()
SLOW = Place(first=900.0)
FAR = Place(region="eastus", reach=160.0)
WORDY = Place(answer=320.0)
READERS = HEALTHY.but(places=(("alpha", Place(prompt_token=0.15)), ("beta", Place(prompt_token=0.15))))


def two(second: Place) -> tuple[tuple[str, Place], ...]:
    return (("alpha", Place()), ("beta", second))


CASES: dict[str, tuple[World, World]] = {
    "sequential_context": (
        HEALTHY.but(history=140.0, embedding=90, one_by_one=True),
        HEALTHY.but(history=140.0, embedding=90),
    ),
    "slow_context": (HEALTHY.but(search=450.0), HEALTHY.but(search=25.0)),
    "long_answers": (HEALTHY.but(places=two(WORDY)), HEALTHY),
    "large_prompt": (READERS.but(instructions=6000), READERS.but(instructions=100)),
    "far_region": (HEALTHY.but(places=two(FAR)), HEALTHY),
    "slow_deployment": (HEALTHY.but(places=two(SLOW)), HEALTHY),
    "cold_start": (HEALTHY.but(cold=0.1), HEALTHY),
    "quota": (HEALTHY.but(sleeps=0.2, queued=0.5), HEALTHY.but(queued=0.5)),
    "slow_store": (HEALTHY.but(write=160.0, queued=0.5), HEALTHY.but(write=8.0, queued=0.5)),
    "slow_client": (HEALTHY.but(upload=600.0), HEALTHY.but(upload=10.0)),
    "few_workers": (HEALTHY.but(lane=2500.0, queued=0.6), HEALTHY.but(lane=40.0, queued=0.6)),
    "slow_relay": (HEALTHY.but(relay=900.0, queued=0.6), HEALTHY.but(relay=30.0, queued=0.6)),
    "failing_calls": (HEALTHY.but(failing=0.3), HEALTHY),
}
"""For each cause a world that has it, and the same world without."""
