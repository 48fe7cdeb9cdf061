"""Events: one for each turn that is over, never sampled, so that counts and percentiles do not depend on spans."""

from opentelemetry._logs import Logger, SeverityNumber

from shared.telemetry import names
from shared.telemetry.facts import TurnEnded
from shared.telemetry.otel.attributes import (
    Attributes,
    first_token_seconds,
    measurements,
    milliseconds,
    of_subject,
    stage_lengths,
)
from shared.telemetry.prices import Prices, price_for


def turn_event(logger: Logger, fact: TurnEnded, prices: Prices) -> None:
    """The event of a turn: names as dimensions, numbers as measurements."""
    if not logger.enabled(severity_number=SeverityNumber.INFO):
        return
    logger.emit(
        severity_number=SeverityNumber.INFO,
        body=names.EVENT_TURN,
        attributes=_dimensions(fact) | measurements(_numbers(fact, prices)),
        event_name=names.EVENT_TURN,
    )


def _dimensions(fact: TurnEnded) -> Attributes:
    attributes = of_subject(fact.subject) | {names.CUSTOM_EVENT_NAME: names.EVENT_TURN, names.OUTCOME: fact.state}
    optional = {
        names.CODE: fact.code,
        names.GEN_AI_REQUEST_MODEL: fact.model,
        names.DEPLOYMENT: fact.deployment,
        names.GEN_AI_RESPONSE_FINISH_REASONS: fact.finish_reason,
        names.CACHE: fact.cached,
    }
    dropped = () if fact.timeline is None else fact.timeline.get("dropped", ())
    if dropped:
        attributes[names.DROPPED_STEPS] = ",".join(dropped)
    return attributes | {name: value for name, value in optional.items() if value is not None}


def _numbers(fact: TurnEnded, prices: Prices) -> dict[str, float | None]:
    usage = fact.usage
    numbers: dict[str, float | None] = {
        names.TOTAL_MS: milliseconds(fact.total_seconds),
        names.TIME_TO_FIRST_TOKEN_MS: milliseconds(first_token_seconds(fact.timeline)),
        names.TIME_BETWEEN_TOKENS_MS: milliseconds(fact.between_tokens_seconds),
        names.RUNS: fact.runs,
        names.DEFERRALS: fact.deferrals,
        names.ATTEMPTS: fact.attempts,
    }
    timeline = fact.timeline or {"stages": ()}
    numbers |= stage_lengths(timeline)
    numbers |= {name: timeline[name] for name in names.STEP_TIMES if name in timeline}
    if usage is not None:
        numbers |= {
            names.INPUT_TOKENS: usage.input_tokens,
            names.OUTPUT_TOKENS: usage.output_tokens,
            names.CACHED_TOKENS: usage.cached_tokens,
            names.REASONING_TOKENS: usage.reasoning_tokens,
        }
        price = price_for(prices, model=fact.model or "", deployment=fact.deployment or "")
        numbers[names.COST] = None if price is None else price.of(usage)
    return numbers
