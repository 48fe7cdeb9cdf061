"""Every name that telemetry uses, in one place. docs/telemetry.md is their reference.

GenAI names are those of the OpenTelemetry semantic conventions 1.41; the conventions are still in development and move,
so nothing else in the app spells one. `gen_ai.system` is the older name of `gen_ai.provider.name`: the Azure Monitor
exporter knows only that one, so both are sent.
"""

from dataclasses import dataclass

SCOPE = "spillway"
"""Name of the tracer, the meter and the logger."""

PROVIDER_NAME = "azure.ai.openai"
OPERATION_CHAT = "chat"

# Spans
SPAN_RUN = "spillway.run"
"""One run of a turn. The span of an attempt is named `chat` and the model."""

# Attributes of the conventions
GEN_AI_OPERATION_NAME = "gen_ai.operation.name"
GEN_AI_PROVIDER_NAME = "gen_ai.provider.name"
GEN_AI_SYSTEM = "gen_ai.system"
GEN_AI_CONVERSATION_ID = "gen_ai.conversation.id"
GEN_AI_REQUEST_MODEL = "gen_ai.request.model"
GEN_AI_REQUEST_MAX_TOKENS = "gen_ai.request.max_tokens"
GEN_AI_REQUEST_STREAM = "gen_ai.request.stream"
GEN_AI_RESPONSE_FINISH_REASONS = "gen_ai.response.finish_reasons"
GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
GEN_AI_TOKEN_TYPE = "gen_ai.token.type"  # noqa: S105  the name of an attribute
GEN_AI_USAGE_INPUT_TOKENS = "gen_ai.usage.input_tokens"
GEN_AI_USAGE_OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
GEN_AI_USAGE_CACHED_TOKENS = "gen_ai.usage.cache_read.input_tokens"
GEN_AI_USAGE_REASONING_TOKENS = "gen_ai.usage.reasoning.output_tokens"
ERROR_TYPE = "error.type"
HTTP_STATUS = "spillway.http_status"
SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"
PEER_SERVICE = "peer.service"
"""The exporter makes it the target of a dependency; here it is the deployment, so that the map shows each."""

# Attributes of Azure Monitor
CUSTOM_MEASUREMENTS = "microsoft.custom_measurements"
CUSTOM_EVENT_NAME = "microsoft.custom_event.name"

# Attributes of Spillway
TURN_ID = "spillway.turn_id"
TENANT = "spillway.tenant"
LANE = "spillway.lane"
PATH = "spillway.path"
RUN = "spillway.run_number"
COPY = "spillway.copy"
OUTCOME = "spillway.outcome"
CODE = "spillway.error_code"
CAUSE = "spillway.cause"
DEPLOYMENT = "spillway.deployment"
REGION = "spillway.region"
TIER = "spillway.tier"
SERVICE_REQUEST_ID = "spillway.service_request_id"
DROPPED_STEPS = "spillway.dropped_steps"
STEP = "spillway.step"
REMAINING_KIND = "spillway.quota"
LEDGER_ITEM = "spillway.ledger.item"
LEDGER_OPERATION = "spillway.ledger.operation"
RATING = "spillway.rating"
CACHE = "spillway.cache"
TOKEN_TYPE = "spillway.token_type"  # noqa: S105  the name of an attribute

# Measurements: numbers of one span or event, from which percentiles can be taken
TIME_TO_FIRST_TOKEN_MS = "time_to_first_token_ms"  # noqa: S105  the name of a measurement
TIME_BETWEEN_TOKENS_MS = "time_between_tokens_ms"
LONGEST_PAUSE_MS = "longest_pause_ms"
DURATION_MS = "duration_ms"
QUEUE_WAIT_MS = "queue_wait_ms"
RETRY_AFTER_MS = "retry_after_ms"
REMAINING_TOKENS = "remaining_tokens"
REMAINING_REQUESTS = "remaining_requests"
UTILIZATION_PERCENT = "utilization_percent"
INPUT_TOKENS = "input_tokens"
OUTPUT_TOKENS = "output_tokens"
CACHED_TOKENS = "cached_tokens"
REASONING_TOKENS = "reasoning_tokens"
COST = "cost"
TOTAL_MS = "total_ms"
ATTEMPTS = "attempts"
RUNS = "runs"
DEFERRALS = "deferrals"
STEP_TIMES = ("history_ms", "knowledge_ms", "profile_ms")
"""What the context steps took, side by side."""
STAGE_SUFFIX = "_ms"
"""A stage of the timeline is measured under its own name and this: `context_ms`, `queue_ms`."""

# Events
EVENT_TURN = "spillway.turn"
"""One for each turn that is over."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """A metric: what it is called, its unit in UCUM, and what it counts or measures."""

    name: str
    unit: str
    description: str


REQUESTS = Instrument("spillway.requests", "{request}", "Questions taken, by path, or refused, by error code")
TURNS = Instrument("spillway.turns", "{turn}", "Turns that are over")
TURN_DURATION = Instrument("spillway.turn.duration", "s", "From accept to the end of a turn")
TURN_FIRST_TOKEN = Instrument("spillway.turn.time_to_first_token", "s", "From accept to the first token of a turn")
TOKEN_PAUSE = Instrument("spillway.attempt.time_between_tokens", "s", "Mean pause between tokens of an attempt")
ATTEMPTS_MADE = Instrument("spillway.attempts", "{attempt}", "Calls to model deployments")
THROTTLED = Instrument("spillway.throttled", "{attempt}", "Calls that were answered with 429, by cause")
RETRY_AFTER = Instrument("spillway.retry_after", "s", "The wait that a 429 asked for")
TOKENS = Instrument("spillway.tokens", "{token}", "Tokens that models reported")
SPEND = Instrument("spillway.cost", "{currency}", "Price of the tokens, in the currency of SPILLWAY_PRICES")
REMAINING_QUOTA = Instrument("spillway.quota.remaining", "{unit}", "What a deployment last said is left of its quota")
UTILIZATION = Instrument("spillway.provisioned.utilization", "%", "What a provisioned deployment last said of its load")
DEFERRED = Instrument("spillway.deferrals", "{deferral}", "Turns put back to sleep")
DEFERRAL_WAIT = Instrument("spillway.deferral.wait", "s", "How long turns are put to sleep")
QUEUE_WAIT = Instrument("spillway.queue.wait", "s", "Age of a lane message when a worker takes its turn")
DEAD_LETTERS = Instrument("spillway.dead_letters", "{message}", "Messages given up for the dead-letter queue")
REPLAYS = Instrument("spillway.replays", "{turn}", "Dead letters replayed")
RATINGS = Instrument("spillway.ratings", "{rating}", "Opinions that callers gave of answers")
STEP_DURATION = Instrument("spillway.context.duration", "s", "Time of a context step")
STEPS_DROPPED = Instrument("spillway.context.dropped", "{step}", "Context steps that were late or failed")
RELAY_SENDS = Instrument("spillway.relay.sends", "{message}", "Relay messages sent or lost")
RELAY_DURATION = Instrument("spillway.relay.duration", "s", "Time to send one relay message")
SWEPT = Instrument("spillway.swept", "{turn}", "Stale turns that the sweeper dealt with")
BACKLOG_TURNS = Instrument("spillway.backlog.turns", "{turn}", "Turns that wait in a lane, asleep or due")
BACKLOG_DUE = Instrument("spillway.backlog.due", "{turn}", "Turns that wait in a lane and could be taken now")
BACKLOG_AGE = Instrument("spillway.backlog.age", "s", "Age of the oldest turn that waits in a lane")
BACKLOG_DEADLINE = Instrument(
    "spillway.backlog.deadline_used", "1", "How near the most pressed turn is to its deadline"
)
CANARIES = Instrument("spillway.canaries", "{attempt}", "Calls to quiet deployments, to see that they answer")
CANARY_FIRST_TOKEN = Instrument("spillway.canary.time_to_first_token", "s", "From the call to the first text")
SAMPLED = Instrument("spillway.samples", "{turn}", "Turns of production that were put up for evaluation")
CACHE_LOOKUPS = Instrument("spillway.cache.lookups", "{lookup}", "Looks into the answer cache, by what was found")
LEDGER_OPERATIONS = Instrument(
    "spillway.ledger.operations", "{operation}", "Reads, writes and grants of what is shared"
)
LEDGER_DURATION = Instrument("spillway.ledger.duration", "s", "Time of one operation of the ledger")
LEDGER_AWAY = Instrument("spillway.ledger.away", "1", "1 while an instance cannot reach a deployment's shared account")
CLIENT_DURATION = Instrument("gen_ai.client.operation.duration", "s", "GenAI operation duration")
CLIENT_FIRST_CHUNK = Instrument("gen_ai.client.operation.time_to_first_chunk", "s", "Time to the first chunk")
CLIENT_TOKENS = Instrument("gen_ai.client.token.usage", "{token}", "Tokens of one operation")

COUNTERS = (
    REQUESTS,
    TURNS,
    ATTEMPTS_MADE,
    THROTTLED,
    TOKENS,
    SPEND,
    DEFERRED,
    DEAD_LETTERS,
    REPLAYS,
    RATINGS,
    STEPS_DROPPED,
    RELAY_SENDS,
    SWEPT,
    CANARIES,
    SAMPLED,
    CACHE_LOOKUPS,
    LEDGER_OPERATIONS,
)
HISTOGRAMS = (
    TURN_DURATION,
    TURN_FIRST_TOKEN,
    TOKEN_PAUSE,
    RETRY_AFTER,
    DEFERRAL_WAIT,
    QUEUE_WAIT,
    STEP_DURATION,
    RELAY_DURATION,
    BACKLOG_TURNS,
    BACKLOG_DUE,
    BACKLOG_AGE,
    BACKLOG_DEADLINE,
    CANARY_FIRST_TOKEN,
    LEDGER_DURATION,
    CLIENT_DURATION,
    CLIENT_FIRST_CHUNK,
    CLIENT_TOKENS,
)
GAUGES = (REMAINING_QUOTA, UTILIZATION)
OBSERVED_GAUGES = (LEDGER_AWAY,)
"""Read whenever metrics are sent, so they never repeat what was true once."""
