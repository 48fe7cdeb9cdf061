"""A day of telemetry as the app sends it: envelopes with all the dimensions and measurements that it gives them.

Of a hundred rows about 14 are turns' events, 28 spans of runs and calls, 14 requests, 6 log lines, 6 results of
evaluations, and the rest metrics.
"""

import json
import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

BATCH = 1_000
TENANTS = tuple(f"tenant-{number}" for number in range(12))
LANES = ("interactive", "interactive", "interactive", "standard", "batch")
DEPLOYMENTS = tuple((f"chat-{number}", f"region-{number % 3}") for number in range(6))
OUTCOMES = ("succeeded",) * 94 + ("failed", "failed", "expired", "cancelled", "cancelled", "failed")
STAGES = (
    "receive", "validation", "admission", "store_accept", "enqueue", "queue", "dispatch", "context", "prompt", "grant",
    "connect", "first_token", "stream", "store",
)  # fmt: skip
MEASURES = ("answered", "relevance", "groundedness", "safety", "privacy", "refusal")
ACTIONS = ("defer_turn", "drop_context", "fail_turn", "rescue_turn", "lose_relay")
TAGS = {
    "ai.cloud.role": "spillway",
    "ai.cloud.roleInstance": "instance-0",
    "ai.internal.sdkVersion": "py3.11.7:otel1.45.1:dst1.8.11",
}
Envelope = dict[str, Any]
Maker = Callable[[random.Random, datetime], Envelope]


def batches(rows: int, until: datetime, hours: float, *, seed: int = 11) -> Iterator[bytes]:
    """Request bodies of `BATCH` envelopes that stand for one row each, spread over the hours before `until`."""
    draw = random.Random(seed)
    makers = _mixture()
    for first in range(0, rows, BATCH):
        body = []
        for number in range(first, min(rows, first + BATCH)):
            at = until - timedelta(hours=hours * (1 - (number + 0.5) / rows))
            body.append(makers[number % len(makers)](draw, at))
        yield json.dumps(body, separators=(",", ":")).encode()


def _mixture() -> list[Maker]:
    """A hundred makers, shuffled once, so that kinds of rows lie mixed as they do when instances send them."""
    shares = ((_turn, 14), (_run, 14), (_call, 14), (_request, 14), (_line, 6), (_score, 6), (_metric, 32))
    makers: list[Maker] = [maker for maker, count in shares for _ in range(count)]
    random.Random(3).shuffle(makers)
    return makers


def _envelope(draw: random.Random, at: datetime, base_type: str, base: dict[str, Any]) -> Envelope:
    tags = TAGS | {
        "ai.operation.id": f"{draw.getrandbits(128):032x}",
        "ai.operation.parentId": f"{draw.getrandbits(64):016x}",
    }
    return {
        "ver": 1,
        "name": f"Microsoft.ApplicationInsights.{base_type.removesuffix('Data')}",
        "time": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "iKey": "00000000-0000-0000-0000-000000000000",
        "tags": tags,
        "data": {"baseType": base_type, "baseData": {"ver": 2, **base}},
    }


def _subject(draw: random.Random) -> dict[str, str]:
    lane = draw.choice(LANES)
    return {
        "spillway.turn_id": f"{draw.getrandbits(128):032x}",
        "spillway.tenant": draw.choice(TENANTS),
        "spillway.lane": lane,
        "spillway.path": "direct" if lane == "interactive" else "queued",
        "gen_ai.conversation.id": f"{draw.getrandbits(128):032x}",
    }


def _times(draw: random.Random) -> dict[str, float]:
    return {f"{stage}_ms": round(draw.lognormvariate(2.5, 1.2), 3) for stage in STAGES}


def _usage(draw: random.Random) -> dict[str, float]:
    return {
        "input_tokens": draw.randint(200, 3000),
        "output_tokens": draw.randint(20, 600),
        "cached_tokens": draw.randint(0, 200),
        "reasoning_tokens": 0,
        "cost": round(draw.random() / 500, 6),
    }


def _turn(draw: random.Random, at: datetime) -> Envelope:
    outcome = draw.choice(OUTCOMES)
    properties = _subject(draw) | {"spillway.outcome": outcome, "gen_ai.request.model": "gpt-4o-mini"}
    measurements: dict[str, float] = {
        "total_ms": round(draw.lognormvariate(7, 1), 3),
        "runs": 1,
        "deferrals": 0,
        "attempts": 1,
    }
    if outcome == "succeeded":
        properties |= {"spillway.deployment": draw.choice(DEPLOYMENTS)[0], "gen_ai.response.finish_reasons": "stop"}
        measurements |= _times(draw) | _usage(draw)
        measurements["time_to_first_token_ms"] = round(draw.lognormvariate(6, 1), 3)
        measurements["time_between_tokens_ms"] = round(draw.lognormvariate(2.5, 0.4), 3)
    else:
        properties["spillway.error_code"] = "model_failed"
    return _envelope(
        draw, at, "EventData", {"name": "spillway.turn", "properties": properties, "measurements": measurements}
    )


def _span(
    draw: random.Random, name: str, kind: str, properties: dict[str, str], measurements: dict[str, float]
) -> dict[str, Any]:
    return {
        "id": f"{draw.getrandbits(64):016x}",
        "name": name,
        "type": kind,
        "target": properties.get("spillway.deployment", ""),
        "data": "",
        "success": True,
        "resultCode": "0",
        "duration": f"00:00:{draw.random() * 9:09.6f}",
        "properties": properties,
        "measurements": measurements,
    }


def _run(draw: random.Random, at: datetime) -> Envelope:
    properties = _subject(draw) | {"spillway.outcome": "succeeded", "spillway.run_number": "1"}
    measurements = _times(draw) | {"queue_wait_ms": round(draw.lognormvariate(5, 2), 3)}
    return _envelope(draw, at, "RemoteDependencyData", _span(draw, "spillway.run", "InProc", properties, measurements))


def _call(draw: random.Random, at: datetime) -> Envelope:
    deployment, region = draw.choice(DEPLOYMENTS)
    good = draw.random() < 0.96
    properties = _subject(draw) | {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "azure.ai.openai",
        "gen_ai.system": "azure.ai.openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.request.max_tokens": "1000",
        "spillway.deployment": deployment,
        "spillway.region": region,
        "spillway.tier": "standard",
        "spillway.outcome": "success" if good else "overload",
        "spillway.http_status": "200" if good else "429",
    }
    measurements = {"duration_ms": round(draw.lognormvariate(7, 0.6), 3)}
    if good:
        measurements |= {key: value for key, value in _usage(draw).items() if key != "cost"}
        measurements |= {
            "time_to_first_token_ms": round(draw.lognormvariate(5.5, 0.5), 3),
            "time_between_tokens_ms": round(draw.lognormvariate(2.5, 0.4), 3),
            "longest_pause_ms": round(draw.lognormvariate(4, 0.6), 3),
            "remaining_tokens": draw.randint(0, 90_000),
        }
    kind = "GenAI | azure.ai.openai"
    return _envelope(draw, at, "RemoteDependencyData", _span(draw, "chat gpt-4o-mini", kind, properties, measurements))


def _request(draw: random.Random, at: datetime) -> Envelope:
    base = {
        "id": f"{draw.getrandbits(64):016x}",
        "name": "POST /api/chat",
        "url": "https://app.example/api/chat",
        "success": True,
        "responseCode": "200",
        "duration": f"00:00:{draw.random() * 9:09.6f}",
        "properties": {"faas.trigger": "http", "http.route": "/api/chat"},
    }
    return _envelope(draw, at, "RequestData", base)


def _line(draw: random.Random, at: datetime) -> Envelope:
    action = draw.choice(ACTIONS)
    level = "Information" if action in {"defer_turn", "rescue_turn"} else "Warning"
    properties = {"action": action, "turn_id": f"{draw.getrandbits(128):032x}", "code": "model_failed"}
    if draw.random() < 0.001:
        properties = {"action": "end_evaluation", "decision": draw.choice(("GO", "HOLD", "NO-GO"))}
    base = {"message": f"action={action}", "severityLevel": level, "properties": properties}
    return _envelope(draw, at, "MessageData", base)


def _score(draw: random.Random, at: datetime) -> Envelope:
    properties = {
        "gen_ai.evaluation.name": draw.choice(MEASURES),
        "gen_ai.response.id": f"{draw.getrandbits(128):032x}",
        "spillway.evaluation.version": "1",
        "spillway.evaluation.weight": str(draw.choice((1.0, 5.0, 20.0))),
        "spillway.deployment": draw.choice(DEPLOYMENTS)[0],
        "spillway.prompt_version": f"prompt-{draw.randint(1, 3)}",
        "spillway.run": "production",
        "internal_properties": '{"gen_ai.evaluation.status":"completed","gen_ai.evaluation.azure_ai_scheduled":true}',
    }
    if draw.random() < 0.03:
        properties["error.type"] = "judge_error"
    else:
        properties |= {"gen_ai.evaluation.score.value": str(round(draw.uniform(0, 1), 3))}
        properties |= {"gen_ai.evaluation.score.label": "fail" if draw.random() < 0.05 else "pass"}
    return _envelope(draw, at, "EventData", {"name": "gen_ai.evaluation.result", "properties": properties})


def _metric(draw: random.Random, at: datetime) -> Envelope:
    deployment, region = draw.choice(DEPLOYMENTS)
    whose = {"spillway.tenant": draw.choice(TENANTS), "spillway.lane": draw.choice(LANES), "spillway.path": "queued"}
    where = {"spillway.deployment": deployment, "spillway.region": region, "spillway.tier": "standard"}
    refused = draw.random() < 0.03
    outcome = {"spillway.outcome": "refused" if refused else "accepted"}
    requests = whose | outcome | ({"spillway.error_code": "capacity_exhausted"} if refused else {})
    tenant = {"spillway.tenant": whose["spillway.tenant"], "spillway.deployment": deployment}
    name, properties, value = draw.choice(
        (
            ("spillway.requests", requests, draw.randint(1, 9)),
            ("spillway.turns", whose | {"spillway.outcome": draw.choice(OUTCOMES)}, draw.randint(1, 9)),
            ("spillway.attempts", where | {"spillway.outcome": "success"}, draw.randint(1, 9)),
            ("spillway.throttled", where | {"spillway.cause": draw.choice(("quota", "capacity"))}, 1),
            (
                "spillway.tokens",
                tenant | {"spillway.token_type": draw.choice(("input", "output"))},
                draw.randint(9, 9999),
            ),
            ("spillway.cost", tenant, draw.random() / 100),
            ("spillway.quota.remaining", where | {"spillway.quota": "tokens"}, draw.randint(0, 90_000)),
            ("spillway.retry_after", where, draw.random() * 9),
            ("spillway.deferrals", whose | {"spillway.cause": "capacity"}, 1),
            ("spillway.ratings", whose | {"spillway.rating": draw.choice(("up", "down"))}, 1),
            ("spillway.backlog.turns", {"spillway.lane": whose["spillway.lane"]}, draw.randint(0, 99)),
            ("gen_ai.client.operation.duration", where | {"gen_ai.operation.name": "chat"}, draw.random() * 9),
        )
    )
    metric = {"name": name, "value": value, "count": 1, "min": value, "max": value}
    return _envelope(draw, at, "MetricData", {"metrics": [metric], "properties": properties})
