"""The simulated fleet: nothing is lost or counted twice, no quota is exceeded, and a seed gives the same run again."""

import dataclasses
import random
from typing import Any

import pytest

from bench.simulation import assumptions
from bench.simulation.agenda import Agenda
from bench.simulation.figures import fairness, figures
from bench.simulation.item import Item
from bench.simulation.plan import Plan
from bench.simulation.service import Answer, Service
from bench.simulation.shapes import SHAPES, Size
from bench.simulation.tally import LANES, Tally
from bench.simulation.world import play

ASSUMED = assumptions.read()
SMALL = Size(instances=6, pools=2, deployments=6, turns_per_minute=300, minutes=1, seed=5)


def plan(shape: str) -> Plan:
    return SHAPES[shape](SMALL, ASSUMED)


@pytest.fixture(scope="module")
def tallies() -> dict[str, Tally]:
    return {shape: play(plan(shape))[0] for shape in SHAPES}


@pytest.mark.parametrize("shape", [*SHAPES])
def test_every_turn_is_answered_refused_expired_or_waits(tallies: dict[str, Tally], shape: str) -> None:
    tally = tallies[shape]
    for lane in LANES:
        ends = {end: tally.ends[lane, end] for end in ("answered", "refused", "expired", "waiting")}
        assert tally.ends[lane, "asked"] == sum(ends.values())
        assert min(ends.values()) >= 0
        assert len(tally.waits[LANES.index(lane)]) == ends["answered"]
    assert sum(tally.ends[lane, "answered"] for lane in LANES) == tally.calls["admitted"] > 200


@pytest.mark.parametrize("shape", [*SHAPES])
def test_no_minute_holds_more_than_the_quota(tallies: dict[str, Tally], shape: str) -> None:
    assert max(tallies[shape].most_admitted.values()) <= 1
    if shape != "limits-cut":
        assert max(tallies[shape].overshoots.values()) == 0, "nor was more asked"


@pytest.mark.parametrize("shape", [*SHAPES])
def test_tokens_and_waiting_turns_add_up(tallies: dict[str, Tally], shape: str) -> None:
    tally = tallies[shape]
    still = sum(tally.ends[lane, "waiting"] for lane in LANES)

    assert sum(tally.admitted.values()) == pytest.approx(sum(tally.served.values()))
    assert sum(tally.demanded.values()) == pytest.approx(tally.estimate_tokens)
    assert sum(sum(changes.values()) for changes in tally.waiting) == still


@pytest.mark.parametrize("shape", [*SHAPES])
def test_operations_add_up(tallies: dict[str, Tally], shape: str) -> None:
    tally = tallies[shape]
    found = figures(plan(shape), tally, ASSUMED)
    million = found["per_million"]
    queued = found["turns"]["answered"] - tally.direct
    store = ASSUMED.store

    assert million["bus_operations"] == pytest.approx(million["lane_operations"] + million["relay_operations"], abs=1)
    assert million["request_units"] == pytest.approx(
        million["ledger_request_units"] + million["turn_request_units"], abs=1
    )
    assert tally.lane_messages >= queued, "each queued turn had a message"
    reads = sum(tally.ledger[kind, "read"] for kind in ("account", "line"))
    least = reads * store.read + tally.ledger["account", "patch"] * store.replace_units(0)
    assert tally.ledger_units >= least
    assert found["calls_per_answer"] == pytest.approx(sum(tally.calls.values()) / tally.calls["admitted"], abs=1e-4)


def test_under_a_surge_turns_wait_and_the_quota_is_used(tallies: dict[str, Tally]) -> None:
    found = figures(plan("surge"), tallies["surge"], ASSUMED)

    assert found["utilisation"]["under_backlog"] > 0.85
    assert found["wait_s"]["interactive"]["p50"] < found["wait_s"]["batch"]["p50"]
    assert tallies["surge"].ledger["line", "replace"] > 0
    assert found["fairness"] > 0.8


def test_a_region_that_is_gone_is_called_little_and_others_take_over(tallies: dict[str, Tally]) -> None:
    tally = tallies["region-gone"]
    pairs = SMALL.instances * SMALL.pools
    """Each instance meets one deployment of each pool that is gone: a few calls open its breaker, then it probes."""

    assert 0 < tally.calls[Answer.GONE.value] < 12 * pairs
    assert sum(tally.ends[lane, "expired"] for lane in LANES) < 0.05 * tally.calls["admitted"]


def test_the_same_seed_gives_the_same_run_and_another_one_does_not() -> None:
    small = dataclasses.replace(SMALL, turns_per_minute=60, pools=1, deployments=2)

    def counts(seed: int) -> dict[str, Any]:
        drawn = SHAPES["surge"](dataclasses.replace(small, seed=seed), ASSUMED)
        return figures(drawn, play(drawn)[0], ASSUMED)

    assert counts(1) == counts(1)
    assert counts(1) != counts(2)


@dataclasses.dataclass(eq=False)
class Hand:
    """Writes again as soon as it has written."""

    item: Item
    wins: int = 0
    losses: int = 0
    entered: tuple[float, int] = (0.0, 0)
    open: bool = False

    def change(self, now: float, value: int) -> int:
        return value + 1

    def written(self, now: float) -> None:
        self.wins += 1
        self.item.replace(now, self)

    def beaten(self, now: float) -> None:
        self.losses += 1
        self.item.replace(now, self)


def crowd(count: int) -> tuple[Tally, list[Hand], Item]:
    agenda, tally = Agenda(0.0), Tally()
    item = Item(
        "account",
        0,
        agenda=agenda,
        draw=random.Random(1),
        network=ASSUMED.network,
        store=ASSUMED.store,
        tally=tally,
        tries=5,
        pause_seconds=0.0,
    )
    hands = [Hand(item) for _ in range(count)]
    for hand in hands:
        item.replace(0.0, hand)
    agenda.run(20.0)
    return tally, hands, item


def test_one_writer_meets_no_conflict_and_many_spend_their_tries_on_each_other() -> None:
    (alone, _, _), (many, hands, item) = crowd(1), crowd(50)
    wins = sum(hand.wins for hand in hands)

    assert alone.ledger["account", "conflict"] == 0
    assert item.value - wins <= 1, "each change was one writer's"
    assert wins / 20 < 1 / (0.5 * ASSUMED.network.store_seconds), "one change at a time"
    assert many.ledger["account", "conflict"] > 10 * wins
    assert sum(hand.losses for hand in hands) == many.ledger["account", "given_up"] > 0


def played_out(count: int, *, seconds: float = 20.0, tries: int = 5) -> tuple[int, int, int]:
    """The same crowd with every try played: wins, conflicts, and those who gave up."""
    draw, agenda, version, wins, conflicts, given_up = random.Random(1), Agenda(0.0), 0, 0, 0, 0

    def half() -> float:
        return ASSUMED.network.store_seconds * (0.5 + draw.expovariate(2.0)) / 2

    def read(now: float, failed: int) -> None:
        agenda.at(now + half() + half(), write, version, failed)

    def write(now: float, known: int, failed: int) -> None:
        nonlocal version, wins, conflicts, given_up
        if known == version:
            version, wins, failed = version + 1, wins + 1, 0
        else:
            conflicts, failed = conflicts + 1, failed + 1
            given_up, failed = (given_up + 1, 0) if failed == tries else (given_up, failed)
        agenda.at(now + half() + half(), read, failed)

    for _ in range(count):
        agenda.at(half(), read, 0)
    agenda.run(seconds)
    return wins, conflicts, given_up


@pytest.mark.parametrize("count", [2, 5, 20, 50])
def test_contention_that_is_drawn_is_like_contention_that_is_played_out(count: int) -> None:
    tally, hands, _ = crowd(count)
    wins, conflicts, given_up = played_out(count)

    assert sum(hand.wins for hand in hands) == pytest.approx(wins, rel=0.3)
    assert tally.ledger["account", "conflict"] == pytest.approx(conflicts, rel=0.2)
    assert tally.ledger["account", "given_up"] == pytest.approx(given_up, rel=0.35)


def test_a_deployment_polices_minutes_and_seconds() -> None:
    service = Service("a", tokens_per_minute=1000, requests_per_minute=120)

    assert [service.ask(0.0, 100)[0] for _ in range(3)] == [Answer.ADMITTED, Answer.ADMITTED, Answer.REQUESTS]
    assert service.ask(2.0, 800)[0] is Answer.ADMITTED
    assert service.ask(4.0, 100) == (Answer.TOKENS, 56.0)
    assert service.ask(60.0, 100)[0] is Answer.ADMITTED
    assert service.overshoot > 0


def test_the_index_of_fairness_is_one_for_equal_parts_and_falls_when_one_gets_all() -> None:
    def served(first: float, second: float) -> float | None:
        tally = Tally()
        for tenant, tokens in (("a", first), ("b", second)):
            tally.demanded[0, "batch", tenant] = 100.0
            tally.served[0, "batch", tenant] = tokens
        return fairness(tally)

    assert served(30, 30) == 1.0
    assert served(60, 0) == 0.5
    assert served(100, 100) is None, "all was served"
