"""What the HTTP routes give, as models: for the OpenAPI document, and for tests that hold every answer against it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from shared.lanes import LaneName

StateName = Literal["accepted", "queued", "running", "deferred", "succeeded", "failed", "expired", "cancelled"]


class _View(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ErrorView(_View):
    """What went wrong: a code for programs, a message for people."""

    code: str
    message: str
    turn_id: str | None = None
    retry_after_ms: int | None = None


class ErrorReply(_View):
    """The one error shape."""

    error: ErrorView


class CitationView(_View):
    """A source that the answer names."""

    id: str
    title: str
    url: str | None = None


class UsageView(_View):
    """Tokens the answer took."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int
    reasoning_tokens: int
    total_tokens: int


class CachedView(_View):
    """How an answer that was given before was found, whose it is, and how near the questions are when they differ."""

    kind: Literal["exact", "semantic", "shared"]
    turn_id: str
    age_seconds: float
    similarity: float | None = None


class TurnView(_View):
    """A turn; what is not known yet is left out."""

    turn_id: str
    session_id: str
    state: StateName
    lane: LaneName
    path: Literal["direct", "queued"]
    question: str
    created_at: str
    deadline_at: str
    citations: list[CitationView]
    model: str | None = None
    answer: str | None = None
    finish_reason: str | None = None
    usage: UsageView | None = None
    timeline: dict[str, Any] | None = None
    deployment: str | None = None
    cached: CachedView | None = None
    error: ErrorView | None = None
    rating: Literal["up", "down"] | None = None
    place: int | None = None
    expected_wait_seconds: float | None = None


class StageView(_View):
    """A stage of a timeline; `estimated` when its length compares two clocks."""

    name: str
    start_ms: float
    duration_ms: float
    estimated: bool = False


class TimelineView(BaseModel):
    """Where the time went: stages without gaps, and what else is known. `complete` when nothing is missing."""

    total_ms: float
    stages: list[StageView]
    complete: bool = False
    steps: list[dict[str, Any]] = []
    prompt: dict[str, int] | None = None
    tokens: dict[str, float | None] | None = None
    cold_start: bool = False


class TimelineReply(_View):
    """The timeline of a turn and its calls to deployments."""

    turn_id: str
    state: StateName
    lane: LaneName
    path: Literal["direct", "queued"]
    attempts: list[dict[str, Any]]
    timeline: TimelineView


class FeedbackReply(_View):
    """The opinion as it was noted."""

    turn_id: str
    rating: Literal["up", "down"]


class SessionTurn(_View):
    """One turn of a conversation."""

    turn_id: str
    question: str
    answer: str
    state: StateName
    created_at: str
    citations: list[CitationView]
    rating: Literal["up", "down"] | None = None


class SessionReply(_View):
    """A conversation, oldest turn first."""

    session_id: str
    turns: list[SessionTurn]


class HealthReply(_View):
    """Whether the instance can do its work."""

    status: Literal["alive", "ready", "unavailable"]
    checks: dict[str, str] | None = None


class CapacityReply(_View):
    """The deployments as the answering instance sees them."""

    instance: str
    deployments: list[dict[str, Any]]


class GainView(_View):
    """A predicted gain in milliseconds and its 95 % interval."""

    predicted: float
    interval: tuple[float, float]


class AdviceView(_View):
    """One change: what it would have saved in the turns looked at, and what that was measured on."""

    rank: int
    cause: str
    subject: str
    change: str
    affected: int
    gain_ms: dict[Literal["p50", "p95", "mean"], GainView]
    sure: Literal["high", "medium", "low"]
    basis: Literal["measured", "modelled", "assumed"]
    numbers: dict[str, Any]


class LatencyAdviceReply(_View):
    """What would be saved, best first."""

    turns: int
    wait_ms: dict[Literal["p50", "p95", "mean"], float]
    advice: list[AdviceView]
    note: str | None = None


class LaneView(_View):
    """A lane: whether it is paused, how many turns wait, and how long a usual turn would."""

    lane: LaneName
    paused: bool
    waiting: int
    expected_wait_seconds: float


class OperationsReply(_View):
    """Lanes and deployments of the whole installation."""

    lanes: list[LaneView]
    deployments: list[dict[str, Any]]


class DeploymentView(BaseModel):
    """A deployment as the answering instance sees it."""

    name: str
    draining: bool


class DeadLettersReply(_View):
    """Dead letters of a lane."""

    lane: LaneName
    dead_letters: list[dict[str, Any]]


class ReplayReply(_View):
    """What was replayed, each with the new turn's id."""

    lane: LaneName
    replayed: list[dict[str, Any]]


class WorkbookReply(_View):
    """The workbook as the portal takes it, whether its queries can be run here, and its address in the portal."""

    workbook: dict[str, Any]
    queries: bool
    portal_url: str | None


class WorkbookColumn(_View):
    """A column of a result and its KQL type."""

    name: str
    type: str


class WorkbookQueryReply(_View):
    """The result of a query; `partial` says why rows are missing."""

    columns: list[WorkbookColumn]
    rows: list[list[Any]]
    partial: str | None


class KnowledgeReply(_View):
    """How many documents were stored."""

    stored: int


class CompletionReply(BaseModel):
    """An answer in the form of OpenAI's chat completions; streamed as chunks when asked for."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[dict[str, Any]]
    usage: dict[str, Any] | None = None


class ModelsReply(BaseModel):
    """The models that can be asked for, in OpenAI's form."""

    object: Literal["list"]
    data: list[dict[str, Any]]


class OpenAIErrorReply(BaseModel):
    """OpenAI's error shape."""

    error: dict[str, Any]
