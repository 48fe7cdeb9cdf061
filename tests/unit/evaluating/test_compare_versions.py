"""A new version is held against the one before it, and looked at more often while it is new."""

import json
import logging
import random

import pytest

from bench.machine import RESULTS
from bench.regression import recorded_scores
from bench.regression.before_launch import decide_on
from bench.regression.in_production import live
from shared.evaluating.keep_cap import versions_seen
from shared.evaluating.sampler import NEW_SECONDS, is_new

from .support import a_sample

NOW = 1_700_000_000.0
HOUR = "2026-11-28T15"


def test_what_was_there_at_the_beginning_is_not_new_and_what_comes_later_is_for_two_days() -> None:
    begun = versions_seen(None, [a_sample("a", at=NOW, hour=HOUR, deployment="chat-0")])
    later = versions_seen(begun, [a_sample("b", at=NOW + 500, hour=HOUR, deployment="chat-0", prompt_version="v2")])

    assert begun == {"v1": 0.0, "chat-0": 0.0}
    assert later["v2"] == NOW + 500
    assert not is_new(None, ("v1", "chat-0"), NOW + 600)
    assert not is_new({"first_seen": later}, ("v1", "chat-0"), NOW + 600)
    assert is_new({"first_seen": later}, ("v2", "chat-0"), NOW + 600)
    assert is_new({"first_seen": later}, ("v3", "chat-0"), NOW + 600)
    assert is_new({"first_seen": later}, ("v1", "chat-9"), NOW + 600)
    assert not is_new({"first_seen": later}, ("v2", "chat-0"), NOW + 500 + NEW_SECONDS)


async def test_a_worse_version_is_told_in_production_with_what_fell_and_an_unchanged_one_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    recorded = recorded_scores()
    with caplog.at_level(logging.WARNING, "spillway"):
        worse = await live(recorded, "worse", 1, turns_before=1_500, turns_after=1_100)
        told = [record.__dict__ for record in caplog.records if record.__dict__.get("evaluator") == "groundedness"]
        caplog.clear()
        same = await live(recorded, "accepted", 1, turns_before=1_500, turns_after=200)
    warned = {record.__dict__["action"] for record in caplog.records}

    assert worse.told == ("groundedness",)
    assert [(record["action"], record["before"]) for record in told] == [("worse_version", "v1")]
    assert told[0]["change"] < 0
    assert (same.told, warned) == ((), set())


def test_a_worse_version_is_no_go_before_its_launch_and_an_unchanged_one_is_not() -> None:
    recorded = recorded_scores()
    seed = random.Random(3).randrange(1_000)

    worse, same = decide_on(recorded, "worse", seed), decide_on(recorded, "accepted", seed)

    assert (worse.no_go, worse.topics) == (True, ("policy",))
    assert (same.no_go, same.topics) == (False, ())


def test_the_committed_results_keep_what_is_promised() -> None:
    results = json.loads((RESULTS / "regression.json").read_text(encoding="utf-8"))
    launch, production = results["before_launch"], results["in_production"]

    assert results["seeds"] == 20
    assert launch["worse_version"]["no_go"] >= 19
    assert set(launch["worse_version"]["topics_named"]) == {"policy"}
    assert launch["unchanged_version"]["no_go"] <= 1
    assert production["worse_version"]["detected"] >= 19
    assert production["unchanged_version"]["false_alarms"] <= 1
