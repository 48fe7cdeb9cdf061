"""Two days of a chat service's telemetry: plain records, and the envelopes that say the same."""

import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
OPERATIONS = ("POST /api/chat", "POST /api/openai/v1/chat/completions", "GET /api/health/live")
TENANTS = ("acme", "globex", "initech")
MODELS = ("gpt-4o", "gpt-4o-mini")
DEPLOYMENTS = ("east-provisioned", "west-standard")
STAGES = (("retrieval", "InProc", 0.1, 0.2), ("chat", "GenAI | azure.ai.openai", 0.3, 0.6))
FAILURES = {"429": "RateLimitError", "500": "TimeoutError"}


@dataclass(frozen=True, slots=True)
class Request:
    """One turn as the HTTP side saw it; durations in milliseconds."""

    at: datetime
    trace: str
    name: str
    code: str
    duration: float
    tenant: str
    model: str
    deployment: str
    wait: float
    first_token: float
    user: str
    count: int

    @property
    def ok(self) -> bool:
        return self.code == "200"


@dataclass(frozen=True, slots=True)
class Dependency:
    """One stage of a turn."""

    at: datetime
    trace: str
    name: str
    kind: str
    ok: bool
    code: str
    duration: float
    deployment: str


@dataclass(frozen=True, slots=True)
class Metric:
    """One exported histogram point."""

    at: datetime
    name: str
    total: float
    count: int
    least: float
    most: float
    dimensions: dict[str, str]


@dataclass(frozen=True, slots=True)
class Event:
    """One evaluation result."""

    at: datetime
    trace: str
    name: str
    variant: str
    judge: str
    score: float
    labels: list[str]


@dataclass(frozen=True, slots=True)
class Failure:
    """One exception."""

    at: datetime
    trace: str
    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Log:
    """One log line."""

    at: datetime
    trace: str
    operation: str
    message: str
    severity: int
    attempt: int


@dataclass(slots=True)
class Workload:
    """Everything that happened."""

    requests: list[Request] = field(default_factory=list)
    dependencies: list[Dependency] = field(default_factory=list)
    metrics: list[Metric] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    logs: list[Log] = field(default_factory=list)

    def envelopes(self) -> list[dict[str, Any]]:
        return [
            *map(_request, self.requests),
            *map(_dependency, self.dependencies),
            *map(_metric, self.metrics),
            *map(_event, self.events),
            *map(_failure, self.failures),
            *map(_log, self.logs),
        ]


def build(turns: int = 600, seed: int = 7) -> Workload:
    """The same workload for the same seed."""
    chance = random.Random(seed)
    work = Workload()
    for number in range(turns):
        request = _turn(chance, number)
        work.requests.append(request)
        for name, kind, offset, share in STAGES:
            throttled = name == "chat" and request.code == "429"
            code = request.code if name == "chat" else "0"
            work.dependencies.append(
                Dependency(
                    request.at + timedelta(milliseconds=round(request.duration * offset)), request.trace, name, kind,
                    not throttled, code, round(request.duration * share, 3), request.deployment,
                )
            )  # fmt: skip
        for kind in ("input", "output"):
            tokens = chance.randint(10, 3000)
            dimensions = {"tenant": request.tenant, "gen_ai.request.model": request.model, "gen_ai.token.type": kind}
            work.metrics.append(Metric(request.at, "gen_ai.client.token.usage", tokens, 1, tokens, tokens, dimensions))
        points = [round(chance.uniform(80, 900), 1) for _ in range(chance.randint(1, 3))]
        work.metrics.append(
            Metric(
                request.at, "chat.time_to_first_token", round(sum(points), 3), len(points), min(points), max(points),
                {"gen_ai.request.model": request.model},
            )
        )  # fmt: skip
        if number % 3 == 1:
            labels = ["hate", "violence", "self_harm"][: chance.randint(0, 3)]
            work.events.append(
                Event(
                    request.at, request.trace, "gen_ai.evaluation.result", chance.choice(("control", "canary")),
                    chance.choice(("judge-a", "judge-b")), round(chance.gauss(4, 0.5), 3), labels,
                )
            )  # fmt: skip
        if not request.ok and number % 5:
            work.failures.append(Failure(request.at, request.trace, FAILURES[request.code], f"turn {number} failed"))
        if number % 3 == 0:
            work.logs.append(_line(chance, request))
    return work


def _turn(chance: random.Random, number: int) -> Request:
    ago = chance.uniform(1, 3_500) if number % 4 == 0 else chance.uniform(3_700, 47 * 3600)
    return Request(
        at=NOW - timedelta(milliseconds=round(ago * 1000)),
        trace=f"{number:032x}",
        name=chance.choices(OPERATIONS, (6, 3, 1))[0],
        code=chance.choices(("200", "429", "500"), (90, 7, 3))[0],
        duration=round(chance.lognormvariate(6.5, 0.7), 3),
        tenant=chance.choice(TENANTS),
        model=chance.choice(MODELS),
        deployment=chance.choice(DEPLOYMENTS),
        wait=round(chance.expovariate(1 / 80), 2),
        first_token=round(chance.uniform(100, 900), 2),
        user=f"user{chance.randint(0, 50)}",
        count=chance.choice((1, 1, 1, 4)),
    )


def _line(chance: random.Random, request: Request) -> Log:
    attempt = chance.randint(1, 3)
    retried = f"upstream throttled, retry {attempt} of 3"
    message = retried if attempt < 3 else f"gave up after timeout of {attempt}00 ms"
    return Log(request.at, request.trace, request.name, message, attempt, attempt)


def duration_text(milliseconds: float) -> str:
    """d.hh:mm:ss.ffffff as the exporters write it."""
    span = timedelta(milliseconds=milliseconds)
    minutes, seconds = divmod(span.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{span.days}.{hours:02d}:{minutes:02d}:{seconds:02d}.{span.microseconds:06d}"


def envelope(base_type: str, at: datetime, data: dict[str, Any], **tags: str) -> dict[str, Any]:
    """One envelope; tag names are written with underscores for dots."""
    named = {f"ai.{name.replace('_', '.')}": value for name, value in tags.items()}
    return {
        "ver": 1,
        "name": f"Microsoft.ApplicationInsights.{base_type.removesuffix('Data')}",
        "time": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "iKey": "00000000-0000-0000-0000-000000000000",
        "tags": {"ai.cloud.role": "spillway", **named},
        "data": {"baseType": base_type, "baseData": {"ver": 2, **data}},
    }


def _request(turn: Request) -> dict[str, Any]:
    data = {
        "id": turn.trace[16:], "name": turn.name, "duration": duration_text(turn.duration), "success": turn.ok,
        "responseCode": turn.code, "url": "http://localhost/x",
        "properties": {"tenant": turn.tenant, "model": turn.model, "deployment": turn.deployment},
        "measurements": {"queue_wait_ms": turn.wait, "ttft_ms": turn.first_token},
    }  # fmt: skip
    made = envelope("RequestData", turn.at, data, operation_id=turn.trace, operation_name=turn.name, user_id=turn.user)
    return made | {"sampleRate": 100.0 / turn.count}


def _dependency(stage: Dependency) -> dict[str, Any]:
    data = {
        "id": stage.trace[16:], "name": stage.name, "type": stage.kind, "duration": duration_text(stage.duration),
        "success": stage.ok, "resultCode": stage.code, "properties": {"deployment": stage.deployment},
    }  # fmt: skip
    return envelope("RemoteDependencyData", stage.at, data, operation_id=stage.trace)


def _metric(point: Metric) -> dict[str, Any]:
    metric = {
        "name": point.name, "value": point.total, "count": point.count, "min": point.least, "max": point.most,
    }  # fmt: skip
    return envelope("MetricData", point.at, {"metrics": [metric], "properties": point.dimensions})


def _event(result: Event) -> dict[str, Any]:
    payload = {"judge": {"model": result.judge}, "scores": {"coherence": result.score}}
    properties = {"variant": result.variant, "payload": json.dumps(payload), "labels": json.dumps(result.labels)}
    data = {"name": result.name, "properties": properties, "measurements": {"score": result.score}}
    return envelope("EventData", result.at, data, operation_id=result.trace)


def _failure(failure: Failure) -> dict[str, Any]:
    listed = [{"typeName": failure.kind, "message": failure.message, "hasFullStack": False}]
    data = {"exceptions": listed, "severityLevel": "Error"}
    return envelope("ExceptionData", failure.at, data, operation_id=failure.trace)


def _log(line: Log) -> dict[str, Any]:
    data = {"message": line.message, "severityLevel": line.severity, "properties": {"attempt": str(line.attempt)}}
    return envelope("MessageData", line.at, data, operation_id=line.trace, operation_name=line.operation)
