"""What every route takes and gives, and how it can refuse; `shared.openapi` makes the document of it."""

from dataclasses import dataclass, field

from pydantic import BaseModel

from shared import api_models, api_views
from shared.evaluating import requests, views

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
    error_view: type[BaseModel] = field(default=api_views.ErrorReply)


ROUTES = (
    Route(
        "accept_turn",
        "post",
        "/api/chat",
        "Ask a question: stream the answer, wait for it, or take 202 and come back",
        api_views.TurnView,
        api_models.ChatRequest,
        also=(202,),
        errors=TURN_ERRORS,
        headers=("Idempotency-Key", "Prefer", "Cache-Control", "X-Spillway-Sent-At", "X-Request-Start"),
        streams=True,
    ),
    Route(
        "read_turn", "get", "/api/chat/{turn}", "A turn as it stands", api_views.TurnView, errors=(401, 404, 500, 503)
    ),
    Route(
        "read_timeline",
        "get",
        "/api/chat/{turn}/timeline",
        "Where the time of a turn went",
        api_views.TimelineReply,
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
    Route(
        "cancel_turn", "delete", "/api/chat/{turn}", "Cancel a turn", api_views.TurnView, errors=(401, 404, 500, 503)
    ),
    Route(
        "rate_turn",
        "post",
        "/api/chat/{turn}/feedback",
        "Rate an answer",
        api_views.FeedbackReply,
        api_models.FeedbackRequest,
        errors=(400, 401, 404, 413, 500, 503),
    ),
    Route(
        "read_session",
        "get",
        "/api/sessions/{session}",
        "The conversation so far",
        api_views.SessionReply,
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
        api_views.CompletionReply,
        api_models.CompletionRequest,
        errors=TURN_ERRORS,
        headers=("Idempotency-Key", "Cache-Control"),
        streams=True,
        error_view=api_views.OpenAIErrorReply,
    ),
    Route(
        "list_models",
        "get",
        "/api/openai/v1/models",
        "The models that can be asked for",
        api_views.ModelsReply,
        errors=(401, 500),
        error_view=api_views.OpenAIErrorReply,
    ),
    Route(
        "report_live", "get", "/api/health/live", "The process is there", api_views.HealthReply, errors=(), open=True
    ),
    Route(
        "report_ready",
        "get",
        "/api/health/ready",
        "The instance can do its work",
        api_views.HealthReply,
        errors=(401, 503),
    ),
    Route(
        "report_capacity",
        "get",
        "/api/capacity",
        "The deployments, for operators",
        api_views.CapacityReply,
        errors=(401, 403, 500),
    ),
    Route(
        "advise_latency",
        "get",
        "/api/latency/advice",
        "What would be saved: changes ranked by the wait they would remove, for operators",
        api_views.LatencyAdviceReply,
        errors=(400, 401, 403, 500, 503),
        query=("hours", "turns", "needed_tokens"),
    ),
    Route(
        "report_operations",
        "get",
        "/api/operations",
        "Lanes and deployments, for operators",
        api_views.OperationsReply,
        errors=(401, 403, 500, 503),
    ),
    Route(
        "switch_lane",
        "post",
        "/api/operations/lanes/{lane}",
        "Pause a lane or let it go on, for operators",
        api_views.LaneView,
        api_models.LaneSwitch,
        errors=(400, 401, 403, 413, 500, 503),
    ),
    Route(
        "switch_deployment",
        "post",
        "/api/operations/deployments/{name}",
        "Drain a deployment or take it back, for operators",
        api_views.DeploymentView,
        api_models.DeploymentSwitch,
        errors=(400, 401, 403, 413, 500, 503),
    ),
    Route(
        "list_dead_letters",
        "get",
        "/api/dead-letters",
        "What could not be answered, for operators",
        api_views.DeadLettersReply,
        errors=(400, 401, 403, 500, 503),
        query=("lane", "limit", "after"),
    ),
    Route(
        "replay_dead_letters",
        "post",
        "/api/dead-letters/replay",
        "Replay dead letters as new turns, for operators",
        api_views.ReplayReply,
        api_models.ReplayRequest,
        errors=(400, 401, 403, 413, 500, 503),
    ),
    Route(
        "put_knowledge",
        "put",
        "/api/knowledge",
        "Store what the tenant's turns are answered from, for operators",
        api_views.KnowledgeReply,
        api_models.KnowledgeBatch,
        errors=(400, 401, 403, 413, 500, 503),
    ),
    Route(
        "start_evaluation",
        "post",
        "/api/evaluations",
        "Start an evaluation of the app, for operators",
        views.EvaluationView,
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
        views.EvaluationView,
        requests.EvaluationItemsIn,
        status=202,
        errors=(400, 401, 403, 404, 409, 413, 500, 503),
    ),
    Route(
        "list_evaluations",
        "get",
        "/api/evaluations",
        "The latest evaluations, for operators",
        views.EvaluationsReply,
        errors=(400, 401, 403, 500, 503),
        query=("limit",),
    ),
    Route(
        "read_evaluation",
        "get",
        "/api/evaluations/{run}",
        "An evaluation with its report, or its scorecard as a page when text/html is accepted, for operators",
        views.EvaluationView,
        errors=(400, 401, 403, 404, 500, 503),
        query=("report",),
    ),
    Route(
        "read_evaluation_scores",
        "get",
        "/api/evaluations/{run}/scores",
        "The single scores of an evaluation, for operators",
        views.EvaluationScoresReply,
        errors=(400, 401, 403, 404, 500, 503),
        query=("after", "limit"),
    ),
    Route(
        "cancel_evaluation",
        "delete",
        "/api/evaluations/{run}",
        "Cancel an evaluation, for operators",
        views.EvaluationView,
        errors=(401, 403, 404, 500, 503),
    ),
    Route(
        "read_quality",
        "get",
        "/api/quality",
        "Quality in production by hour, for operators",
        views.QualityReply,
        errors=(400, 401, 403, 500, 503),
        query=("days",),
    ),
    Route(
        "read_workbook",
        "get",
        "/api/workbook",
        "The workbook that the console shows, for operators",
        api_views.WorkbookReply,
        errors=(401, 403, 500),
    ),
    Route(
        "run_workbook_query",
        "post",
        "/api/workbook/queries/{query}",
        "Run one of the workbook's own queries, for operators",
        api_views.WorkbookQueryReply,
        api_models.WorkbookQueryRequest,
        errors=(400, 401, 403, 404, 413, 500, 502, 503),
    ),
    Route("describe_api", "get", "/api/openapi.json", "This document", None, errors=(401, 500)),
)
