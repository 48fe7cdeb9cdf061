"""The event of a turn holds everything that dashboards count and take percentiles of."""

from shared.telemetry import names
from shared.telemetry.otel.events import turn_event
from shared.telemetry.prices import Price
from tests.unit.telemetry.facts import an_end
from tests.unit.telemetry.otel import Memory, measured


def test_a_turn_is_a_custom_event_with_dimensions_and_measurements(memory: Memory) -> None:
    turn_event(memory.logger, an_end(), {"gpt-4o-mini": Price(input=1.0, output=10.0, cached=0.5)})

    (event,) = memory.events
    numbers = measured(event)

    assert event[names.CUSTOM_EVENT_NAME] == names.EVENT_TURN
    assert event[names.OUTCOME] == "succeeded"
    assert event[names.DROPPED_STEPS] == "knowledge"
    assert numbers[names.TIME_TO_FIRST_TOKEN_MS] == 250
    assert numbers[names.TOTAL_MS] == 400
    assert (numbers["context_ms"], numbers["first_token_ms"], numbers["stream_ms"]) == (50, 200, 150)
    assert numbers["history_ms"] == 3
    assert numbers[names.COST] == 0.0018


def test_a_turn_that_never_ran_has_the_numbers_that_are_known(memory: Memory) -> None:
    ended = an_end(state="expired", code="deadline_exceeded", usage=None, timeline=None, between_tokens_seconds=None)
    turn_event(memory.logger, ended, {})

    (event,) = memory.events

    assert event[names.CODE] == "deadline_exceeded"
    assert set(measured(event)) == {names.TOTAL_MS, names.RUNS, names.DEFERRALS, names.ATTEMPTS}
