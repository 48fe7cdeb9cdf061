"""Causes at the model: regions, slow deployments, prompts, answers, quota, failing calls."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import median

from shared.advisor.finding import Basis, Finding, Needs
from shared.advisor.journeys import Journey
from shared.advisor.numbers import Slope, quantile, slope
from shared.timelines import stages

FEWEST = 5
"""Turns a deployment needs before it is compared."""
HOP_MS = 15.0
SLOWER = 1.2
SPREAD_TOKENS = 100
KEPT_TOKENS = 100
"""Instructions of this length cost nothing worth a change."""
LARGE_TOKENS = 2000
SIMILAR = 8
LONGER = 1.5
GRANT_MS = 5.0
QUEUE_MS = 50.0


def by_deployment(turns: Sequence[Journey], value: Callable[[Journey], float]) -> dict[str, dict[str, float]]:
    """Medians of a value by deployment, in the pools (models) that have at least two deployments to compare."""
    pools: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for turn in turns:
        if turn.deployment and not turn.cold:
            pools[turn.model][turn.deployment].append(value(turn))
    found: dict[str, dict[str, float]] = {}
    for model, deployments in pools.items():
        known = {name: median(values) for name, values in deployments.items() if len(values) >= FEWEST}
        if len(known) > 1:
            found[model] = known
    return found


def far_region(turns: Sequence[Journey], _needs: Needs) -> list[Finding]:
    """Deployments that take longer to reach than another one of their pool."""
    found = []
    for model, known in by_deployment(turns, lambda turn: turn.of(stages.CONNECT)).items():
        nearest = min(known, key=known.__getitem__)
        for name in sorted(known):
            if known[name] - known[nearest] < HOP_MS:
                continue
            saved = [
                max(0.0, turn.of(stages.CONNECT) - known[nearest])
                if (turn.deployment, turn.model) == (name, model)
                else 0.0
                for turn in turns
            ]
            region = next((turn.region for turn in turns if turn.deployment == name), "")
            change = f"Answer from {nearest} instead of {name} ({region}), or deploy the model nearer to the app."
            numbers = {"median_connect_ms": known[name], "nearest": nearest, "nearest_connect_ms": known[nearest]}
            found.append(Finding("far_region", name, change, saved, Basis.MEASURED, numbers))
    return found


def pace(turn: Journey) -> float:
    """Milliseconds a token while the answer streams."""
    return turn.of(stages.STREAM) / max(1, turn.output_tokens - 1)


def slow_deployment(turns: Sequence[Journey], _needs: Needs) -> list[Finding]:
    """Deployments whose model begins later, or writes more slowly, than another one of their pool."""
    firsts, paces = by_deployment(turns, _first_for_length(turns)), by_deployment(turns, pace)
    found = []
    for model, known in firsts.items():
        quickest, fastest = min(known.values()), min(paces[model].values())
        for name in sorted(known):
            later = known[name] - quickest if known[name] > max(SLOWER * quickest, quickest + HOP_MS) else 0.0
            slower = paces[model][name] - fastest if paces[model][name] > SLOWER * fastest else 0.0
            if not later and not slower:
                continue
            saved = [
                later + slower * max(0, turn.output_tokens - 1)
                if (turn.deployment, turn.model) == (name, model)
                else 0.0
                for turn in turns
            ]
            change = f"Give {name} less of the traffic, or look why it is slower than the others of its pool."
            numbers = {
                "median_first_token_ms": known[name],
                "quickest_first_token_ms": quickest,
                "ms_per_token": paces[model][name],
                "fastest_ms_per_token": fastest,
            }
            found.append(Finding("slow_deployment", name, change, saved, Basis.MEASURED, numbers))
    return found


def _first_for_length(turns: Sequence[Journey]) -> Callable[[Journey], float]:
    """Time to first token without what the prompt's length explains, so that long prompts blame no deployment."""
    fitted = _per_prompt_token(turns)
    per_token = 0.0 if fitted is None else max(0.0, fitted.value)
    middle = median(turn.prompt_tokens for turn in turns)
    return lambda turn: turn.of(stages.FIRST_TOKEN) - per_token * (turn.prompt_tokens - middle)


def _per_prompt_token(turns: Sequence[Journey]) -> Slope | None:
    """Milliseconds that a token of the prompt costs; None when the prompts are too alike to tell."""
    pools: dict[str, list[Journey]] = defaultdict(list)
    for turn in turns:
        if not turn.cold and turn.prompt_tokens:
            pools[turn.deployment].append(turn)
    tokens = [turn.prompt_tokens for pool in pools.values() for turn in pool]
    if len(tokens) < 4 * FEWEST or quantile(tokens, 0.9) - quantile(tokens, 0.1) < SPREAD_TOKENS:
        return None
    return slope(
        [(float(turn.prompt_tokens - turn.cached_tokens), turn.of(stages.FIRST_TOKEN)) for turn in pool]
        for pool in pools.values()
    )


def large_prompt(turns: Sequence[Journey], _needs: Needs) -> list[Finding]:
    """What the stable beginning of the prompt, and its length beyond 2,000 tokens, cost before the first token."""
    fitted = _per_prompt_token(turns)
    if fitted is None or fitted.value <= 0:
        return []
    per_token = fitted.value
    unsure = (fitted.low / per_token, fitted.high / per_token)
    stable = [max(0, turn.stable_tokens - turn.cached_tokens - KEPT_TOKENS) * per_token for turn in turns]
    large = [max(0, turn.prompt_tokens - turn.cached_tokens - LARGE_TOKENS) * per_token for turn in turns]
    numbers = {
        "ms_per_prompt_token": per_token,
        "ms_per_prompt_token_interval": [round(fitted.low, 5), round(fitted.high, 5)],
        "median_prompt_tokens": median(turn.prompt_tokens for turn in turns),
        "median_stable_tokens": median(turn.stable_tokens for turn in turns),
        "median_cached_tokens": median(turn.cached_tokens for turn in turns),
    }
    return [
        Finding(
            "large_prompt",
            "repeated_prefix",
            "Shorten the instructions, or let the service cache them: from 1,024 tokens on, with nothing that changes "
            "before them.",
            stable,
            Basis.MODELLED,
            numbers,
            unsure,
        ),
        Finding(
            "large_prompt",
            "length",
            "Take fewer passages and turns of history into the prompt.",
            large,
            Basis.MODELLED,
            numbers,
            unsure,
        ),
    ]


def long_answers(turns: Sequence[Journey], needs: Needs) -> list[Finding]:
    """Answers longer than those to similar questions: the same sources, and a quarter of them was content with less."""
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for turn in turns:
        if turn.sources:
            groups[turn.sources].append(turn.output_tokens)
    needed = {sources: quantile(counts, 0.25) for sources, counts in groups.items() if len(counts) >= SIMILAR}
    saved, past, tokens = [], 0.0, 0.0
    for turn in turns:
        need = needs.output_tokens or needed.get(turn.sources)
        extra = max(0.0, turn.output_tokens - need) if need and turn.output_tokens > LONGER * need else 0.0
        saved.append(extra * pace(turn))
        past, tokens = past + extra, tokens + turn.output_tokens
    change = "Ask for shorter answers in the instructions, and lower max_output_tokens as the bound behind it."
    numbers = {
        "median_output_tokens": median(turn.output_tokens for turn in turns),
        "share_past_need": past / tokens if tokens else 0.0,
        "groups": len(needed),
    }
    return [Finding("long_answers", "", change, saved, Basis.MEASURED, numbers)]


def quota(turns: Sequence[Journey], _needs: Needs) -> list[Finding]:
    """Waiting for budget: sleep, the queue after it, calls that were refused, grants."""
    saved = []
    for turn in turns:
        slept = turn.of(stages.DEFERRAL, stages.EARLIER_RUNS)
        refused = turn.of(stages.RETRY) if turn.failed.get("overload") else 0.0
        lane = max(0.0, turn.of(stages.QUEUE) - QUEUE_MS) if slept else 0.0
        saved.append(slept + refused + lane + max(0.0, turn.of(stages.GRANT) - GRANT_MS))
    numbers = {
        "slept": sum(turn.of(stages.DEFERRAL) > 0 for turn in turns),
        "refused_calls": sum(turn.failed.get("overload", 0) for turn in turns),
    }
    change = "Raise the quota, or add a deployment to the pool."
    return [Finding("quota", "", change, saved, Basis.MEASURED, numbers)]


def few_workers(turns: Sequence[Journey], _needs: Needs) -> list[Finding]:
    """Waiting in the lane though there was budget."""
    saved = [
        max(0.0, turn.of(stages.QUEUE) - QUEUE_MS) if turn.path == "queued" and not turn.of(stages.DEFERRAL) else 0.0
        for turn in turns
    ]
    change = "Let the lane's workers scale further, keep one always ready, or let each take more turns at a time."
    queued = [turn.of(stages.QUEUE) for turn in turns if turn.path == "queued"]
    numbers = {"queued": len(queued), "median_queue_ms": quantile(queued, 0.5)}
    return [Finding("few_workers", "", change, saved, Basis.ASSUMED, numbers)]


def failing_calls(turns: Sequence[Journey], _needs: Needs) -> list[Finding]:
    """Calls that gave no answer for other reasons than quota."""
    saved = [
        turn.of(stages.RETRY) + (turn.of(stages.DEFERRAL, stages.EARLIER_RUNS) if turn.failed else 0.0)
        if turn.failed.get("ignored") and not turn.failed.get("overload")
        else 0.0
        for turn in turns
    ]
    change = "Look at the errors of the deployments: calls fail before they answer."
    numbers = {"failed_calls": sum(turn.failed.get("ignored", 0) for turn in turns)}
    return [Finding("failing_calls", "", change, saved, Basis.MEASURED, numbers)]
