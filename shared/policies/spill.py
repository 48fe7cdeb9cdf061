"""Who may be answered by another model than the one asked for, when the pool's own deployments cannot."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpillRule:
    """The rule of one model.

    Attributes:
        to: Models that may answer instead, in order.
        lanes: Whose turns may be answered so.
        most_cost_ratio: How many times the asked model's price a turn may cost there.
    """

    to: tuple[str, ...]
    lanes: frozenset[str] = frozenset({"interactive"})
    most_cost_ratio: float = 1.0


def spill_models(
    rules: Mapping[str, SpillRule], costs: Mapping[str, float], *, model: str, lane: str
) -> tuple[str, ...]:
    """The models that may answer for `model`, none when there is no rule for it.

    Args:
        rules: By model.
        costs: Price of a turn by model, in any one currency; a model without a price is taken to cost too much.
        model: What was asked for.
        lane: Of the turn.
    """
    rule = rules.get(model)
    if rule is None or lane not in rule.lanes or model not in costs:
        return ()
    most = rule.most_cost_ratio * costs[model]
    return tuple(other for other in rule.to if costs.get(other, float("inf")) <= most)
