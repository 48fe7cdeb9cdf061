"""What every route takes and gives, and how it can refuse; `shared.api.openapi` makes the document of it."""

from dataclasses import dataclass, field

from pydantic import BaseModel

from shared.api import models, views
from shared.evaluating import requests
from shared.evaluating import views as quality_views

TURN_ERRORS = (400, 401, 409, 413, 422, 429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Route:
    """One operation: what it takes, what it gives, and with which statuses it can refuse."""

    function: str
    method: str
    path: str
    summary: str
    gives: type[BaseModel] | None
    takes: type[BaseModel] | None = None
    status: int = 200
    also: tuple[int, ...] = ()
    errors: tuple[int, ...] = (401, 500, 503)
    query: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    streams: bool = False
    open: bool = False
    error_view: type[BaseModel] = field(default=views.ErrorReply)


ROUTES = (
    Route(
        "accept_turn",
        "post",
        "/api/chat",
        "Ask a question: stream the answer, wait for it, or take 202 and come back",
        views.TurnView,
        models.ChatRequest,
        also=(202,),
        errors=TURN_ERRORS,
        headers=("Idempotency-Key", "Prefer", "Cache-Control", "X-Spillway-Sent-At", "X-Request-Start"),
        streams=True,
    ),
    Route("read_turn", "get", "/api/chat/{turn}", "A turn as it stands", views.TurnView, errors=(401, 404, 500, 503)),
    Route(
        "read_timeline",
        "get",
        "/api/chat/{turn}/timeline",
        "Where the time of a turn went",
        views.TimelineReply,
        errors=(401, 404, 500, 503),
    ),
    Route(
        "follow_turn",
        "get",
        "/api/chat/{turn}/stream",
        "Follow a turn from where you stopped",
        None,
        errors=(400, 401, 404, 500, 503),
        query=("last_event_id",),
        headers=("Last-Event-ID",),
        streams=True,
    ),
    Route("cancel_turn", "delete", "/api/chat/{turn}", "Cancel a turn", views.TurnView, errors=(401, 404, 500, 503)),
    Route(
        "rate_turn",
        "post",
        "/api/chat/{turn}/feedback",
        "Rate an answer",
        views.FeedbackReply,
        models.FeedbackRequest,
        errors=(400, 401, 404, 413, 500, 503),
    ),
    Route(
        "read_session",
        "get",
        "/api/sessions/{session}",
        "The conversation so far",
        views.SessionReply,
        errors=(400, 401, 500, 503),
    ),
    Route(
        "forget_session",
        "delete",
        "/api/sessions/{session}",
        "Forget a conversation",
        None,
        status=204,
        errors=(400, 401, 500, 503),
    ),
    Route(
        "complete_chat",
        "post",
        "/api/openai/v1/chat/completions",
        "Chat completions as OpenAI's clients ask for them",
        views.CompletionReply,
        models.CompletionRequest,
        errors=TURN_ERRORS,
        headers=("Idempotency-Key", "Cache-Control"),
        streams=True,
        error_view=views.OpenAIErrorReply,
    ),
    Route(
        "list_models",
        "get",
        "/api/openai/v1/models",
        "The models that can be asked for",
        views.ModelsReply,
        errors=(401, 500),
        error_view=views.OpenAIErrorReply,
    ),
    Route("report_live", "get", "/api/health/live", "The process is there", views.HealthReply, errors=(), open=True),
    Route(
        "report_ready",
        "get",
        "/api/health/ready",
        "The instance can do its work",
        views.HealthReply,
        errors=(401, 503),
    ),
    Route(
        "report_capacity",
        "get",
        "/api/capacity",
        "The deployments, for operators",
        views.CapacityReply,
        errors=(401, 403, 500),
    ),
    Route(
        "advise_latency",
        "get",
        "/api/latency/advice",
        "What would be saved: changes ranked by the wait they would remove, for operators",
        views.LatencyAdviceReply,
        errors=(400, 401, 403, 500, 503),
        query=("hours", "turns", "needed_tokens"),
    ),
    Route(
        "report_operations",
        "get",
        "/api/operations",
        "Lanes and deployments, for operators",
        views.OperationsReply,
        errors=(401, 403, 500, 503),
    ),
    Route(
        "switch_lane",
        "post",
        "/api/operations/lanes/{lane}",
        "Pause a lane or let it go on, for operators",
        views.LaneView,
        models.LaneSwitch,
        errors=(400, 401, 403, 413, 500, 503),
    ),
    Route(
        "switch_deployment",
        "post",
        "/api/operations/deployments/{name}",
        "Drain a deployment or take it back, for operators",
        views.DeploymentView,
        models.DeploymentSwitch,
        errors=(400, 401, 403, 413, 500, 503),
    ),
    Route(
        "list_dead_letters",
        "get",
        "/api/dead-letters",
        "What could not be answered, for operators",
        views.DeadLettersReply,
        errors=(400, 401, 403, 500, 503),
        query=("lane", "limit", "after"),
    ),
    Route(
        "replay_dead_letters",
        "post",
        "/api/dead-letters/replay",
        "Replay dead letters as new turns, for operators",
        views.ReplayReply,
        models.ReplayRequest,
        errors=(400, 401, 403, 413, 500, 503),
    ),
    Route(
        "put_knowledge",
        "put",
        "/api/knowledge",
        "Store what the tenant's turns are answered from, for operators",
        views.KnowledgeReply,
        models.KnowledgeBatch,
        errors=(400, 401, 403, 413, 500, 503),
    ),
    Route(
        "start_evaluation",
        "post",
        "/api/evaluations",
        "Start an evaluation of the app, for operators",
        quality_views.EvaluationView,
        requests.EvaluationRequest,
        status=202,
        errors=(400, 401, 403, 404, 409, 413, 500, 503),
        headers=("Idempotency-Key",),
    ),
    Route(
        "add_evaluation_items",
        "post",
        "/api/evaluations/{run}/items",
        "Give an evaluation more items, for operators",
        quality_views.EvaluationView,
        requests.EvaluationItemsIn,
        status=202,
        errors=(400, 401, 403, 404, 409, 413, 500, 503),
    ),
    Route(
        "list_evaluations",
        "get",
        "/api/evaluations",
        "The latest evaluations, for operators",
        quality_views.EvaluationsReply,
        errors=(400, 401, 403, 500, 503),
        query=("limit",),
    ),
    Route(
        "read_evaluation",
        "get",
        "/api/evaluations/{run}",
        "An evaluation with its report, or its scorecard as a page when text/html is accepted, for operators",
        quality_views.EvaluationView,
        errors=(400, 401, 403, 404, 500, 503),
        query=("report",),
    ),
    Route(
        "read_evaluation_scores",
        "get",
        "/api/evaluations/{run}/scores",
        "The single scores of an evaluation, for operators",
        quality_views.EvaluationScoresReply,
        errors=(400, 401, 403, 404, 500, 503),
        query=("after", "limit"),
    ),
    Route(
        "cancel_evaluation",
        "delete",
        "/api/evaluations/{run}",
        "Cancel an evaluation, for operators",
        quality_views.EvaluationView,
        errors=(401, 403, 404, 500, 503),
    ),
    Route(
        "read_quality",
        "get",
        "/api/quality",
        "Quality in production by hour, for operators",
        quality_views.QualityReply,
        errors=(400, 401, 403, 500, 503),
        query=("days",),
    ),
    Route(
        "read_workbook",
        "get",
        "/api/workbook",
        "The workbook that the console shows, for operators",
        views.WorkbookReply,
        errors=(401, 403, 500),
    ),
    Route(
        "run_workbook_query",
        "post",
        "/api/workbook/queries/{query}",
        "Run one of the workbook's own queries, for operators",
        views.WorkbookQueryReply,
        models.WorkbookQueryRequest,
        errors=(400, 401, 403, 404, 413, 500, 502, 503),
    ),
    Route("describe_api", "get", "/api/openapi.json", "This document", None, errors=(401, 500)),
)
