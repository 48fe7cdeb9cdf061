"""Everything that is fuzzed, for a moment; and what longer runs have found."""

import base64
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.policies.classify import retry_after
from tests.fuzz.targets import TARGETS, Target

FOUND = {
    # A message whose section has a map as its descriptor was an error of the broker's own.
    "amqp-messages": ["AABTdMEHAqEBa6EBAAAAAAB2U3WkAgBTdWhpoAF4"],
    # An empty array of a type that does not exist was taken, and could not be encoded again.
    "amqp-values": ["4AIABVJA"],
    # A data line that is no JSON, as an event of nothing but an id is for the SDK, was a fault of the app instead of
    # one of the deployment: the turn was given back to the queue and other deployments were not asked.
    "model-streams": ["OiBwaW5nDQpkYXRhOiB7fQ0KDQppZDogMQpyZXRyeTogNQoK"],
    # A wait of forty thousand years was believed, and a limit of half a token became one of none.
    "throttles": [
        "c3RhdHVzOiA5NDAKcmV0cnktYWZ0ZXItbXM6IDEyOTk5OTk5OTk5OTk5MDAKcmV0cnktYXRlcjogMgoKZXhjZWVkZWQ=",
        "eC1yYXRlbGltaXQtcmVzZXQtdG9rZW5zOjIuNXMKeC1yYXRlbGltaXQtcmVtYWluaW5nLXRva2VuczogMAp4LXJhdGVsaW1pdC1saW1pdC10b2tlbnM6LjUKCng=",
    ],
}


def mutations(target: Target) -> st.SearchStrategy[bytes]:
    """Examples and words, cut and put together."""
    seeds = st.sampled_from(target.seeds)
    cut = st.builds(lambda seed, at, size: seed[at : at + size], seeds, st.integers(0, 60), st.integers(0, 60))
    words = st.sampled_from(target.words or ("\0",)).map(str.encode)
    return st.one_of(
        st.binary(max_size=80), st.lists(st.one_of(seeds, cut, words, st.binary(max_size=4)), max_size=6).map(b"".join)
    )


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_takes_any_bytes(name: str) -> None:
    target = TARGETS[name]

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(mutations(target))
    def takes(data: bytes) -> None:
        target.run(data)

    takes()


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_found_and_the_examples_are_taken(name: str) -> None:
    for data in (*TARGETS[name].seeds, *map(base64.b64decode, FOUND.get(name, []))):
        TARGETS[name].run(data)


@pytest.mark.parametrize("headers", [{"retry-after-ms": "1e300"}, {"retry-after": "9" * 300}])
def test_no_deployment_is_left_alone_for_more_than_a_day(headers: dict[str, Any]) -> None:
    assert retry_after(headers) == 86_400.0


def test_a_reset_that_overflows_is_a_day_at_most() -> None:
    assert retry_after({"x-ratelimit-reset-tokens": "9" * 400 + "s"}) == 86_400.0
