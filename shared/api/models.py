"""What the HTTP routes take: requests are validated with these models and the OpenAPI document is made of them."""

from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from shared.errors import InvalidRequest
from shared.lanes import LaneName

MAX_BODY_BYTES = 1_000_000
MAX_TEXT = 100_000
MAX_MESSAGES = 100
PASSED_ON = (
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "stop",
    "seed",
    "response_format",
    "reasoning_effort",
)
"""Parameters of a completion request that go to the model as they are."""
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
Stop = Annotated[str, Field(max_length=1000)]
SequenceNumber = Annotated[int, Field(ge=1, le=2**63 - 1)]


class _Strict(BaseModel):
    # Validators are built with the first request that needs them, not at each cold start.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


class MessageIn(_Strict):
    """One message of a conversation that the caller keeps itself."""

    role: Literal["user", "assistant"]
    content: Text


class ChatRequest(_Strict):
    """A question. Give `message` and let Spillway keep the session, or give the whole conversation as `messages`."""

    message: Text | None = None
    messages: Annotated[list[MessageIn], Field(min_length=1, max_length=MAX_MESSAGES)] | None = None
    session_id: Identifier | None = None
    customer_id: Identifier | None = None
    lane: LaneName = "interactive"
    deadline_seconds: Annotated[float, Field(gt=0, le=3600, strict=False)] | None = None
    model: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    max_output_tokens: Annotated[int, Field(ge=1, le=128_000)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2, strict=False)] | None = None

    @field_validator("message")
    @classmethod
    def _message_says_something(cls, text: str | None) -> str | None:
        return text if text is None else _not_blank(text)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.message is None) == (self.messages is None):
            raise ValueError("give either message or messages")
        if self.messages is not None:
            if self.messages[-1].role != "user":
                raise ValueError("the last of messages must have the role user")
            _not_blank(self.messages[-1].content)
        return self


class WorkbookQueryRequest(_Strict):
    """Values for a query of the workbook by parameter; those left out are what the workbook starts with."""

    parameters: Annotated[dict[str, Any], Field(max_length=20)] = {}


class FeedbackRequest(_Strict):
    """The caller's opinion of an answer."""

    rating: Literal["up", "down"]
    comment: Annotated[str, Field(max_length=2000)] | None = None


class KnowledgeRequest(_Strict):
    """A piece of knowledge to answer from."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,100}$")]
    title: Annotated[str, Field(min_length=1, max_length=300)]
    text: Annotated[str, Field(min_length=1, max_length=20_000)]
    url: Annotated[str, Field(max_length=2000)] | None = None


class KnowledgeBatch(_Strict):
    """Pieces of knowledge to store or replace."""

    documents: Annotated[list[KnowledgeRequest], Field(min_length=1, max_length=100)]


class ReplayRequest(_Strict):
    """Which dead letters of a lane to replay: those named, those of a reason, or all."""

    lane: LaneName
    sequence_numbers: Annotated[list[SequenceNumber], Field(min_length=1, max_length=1000)] | None = None
    reason: Annotated[str, Field(max_length=200)] | None = None


class LaneSwitch(_Strict):
    """Whether the turns of a lane wait until further notice."""

    paused: bool


class DeploymentSwitch(_Strict):
    """Whether a deployment gets no new calls until further notice."""

    draining: bool


class TextPart(BaseModel):
    """A text part of a message in OpenAI's form."""

    model_config = ConfigDict(frozen=True, defer_build=True)
    type: Literal["text"]
    text: Annotated[str, Field(max_length=MAX_TEXT)]


class CompletionMessage(BaseModel):
    """A message in OpenAI's form."""

    model_config = ConfigDict(frozen=True, defer_build=True)
    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[str, Field(max_length=MAX_TEXT)] | Annotated[list[TextPart], Field(min_length=1, max_length=100)]
    name: Annotated[str, Field(max_length=100)] | None = None

    @property
    def text(self) -> str:
        """The text of all parts."""
        return self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)


class StreamOptions(BaseModel):
    """Options of a streamed completion."""

    model_config = ConfigDict(defer_build=True)
    include_usage: bool = False


class CompletionRequest(BaseModel):
    """A request in the form of OpenAI's chat completions, as far as Spillway can keep its promises with it."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)
    model: Annotated[str, Field(min_length=1, max_length=100)]
    messages: Annotated[list[CompletionMessage], Field(min_length=1, max_length=MAX_MESSAGES)]
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[int, Field(ge=1, le=128_000)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1, le=128_000)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    stop: Stop | Annotated[list[Stop], Field(max_length=4)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), le=2**63 - 1)] | None = None
    n: Literal[1] | None = None
    response_format: dict[str, Any] | None = None
    reasoning_effort: Annotated[str, Field(max_length=50)] | None = None
    user: Annotated[str, Field(max_length=500)] | None = None
    metadata: Annotated[dict[str, Annotated[str, Field(max_length=1000)]], Field(max_length=16)] | None = None
    store: Literal[False] | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters that go to the model as they are."""
        return {name: value for name in PASSED_ON if (value := getattr(self, name)) is not None}


M = TypeVar("M", bound=BaseModel)


def validated(model: type[M], body: bytes) -> M:
    """The request in `body`.

    Raises:
        InvalidRequest: Not JSON, or not of this shape; the message names each fault.
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise InvalidRequest(_explain(error)) from error


def _explain(error: ValidationError) -> str:
    faults = [f"{'.'.join(str(part) for part in fault['loc']) or 'body'}: {fault['msg']}" for fault in error.errors()]
    more = f" (and {len(faults) - 5} more)" if len(faults) > 5 else ""
    return "; ".join(faults[:5]) + more
