"""Which accounts and deployments there are: values, and how they are read from a configuration file."""

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from local.openai.fields import FieldError, Fields

DEFAULT_FILE = Path(__file__).parent / "deployments.json"
HEADER_VARIANTS = ("both", "ms", "seconds", "reset", "none")
RESET_FORMATS = ("number", "seconds", "duration")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HOUR_MS = 3_600_000.0


@dataclass(frozen=True, slots=True)
class Latency:
    """How long a deployment takes; every figure is a median around which single calls are spread.

    Attributes:
        time_to_first_token_ms: Time the model needs before the first token.
        per_prompt_token_ms: Added to it for each token of the prompt.
        between_tokens_ms: Time from one token to the next.
        spread: Standard deviation of the logarithm, 0 for none.
        round_trip_ms: Network time between the caller and the region, the same for every call.
    """

    time_to_first_token_ms: float = 200.0
    per_prompt_token_ms: float = 0.05
    between_tokens_ms: float = 12.0
    spread: float = 0.2
    round_trip_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Deployment:
    """One model deployment as an operator would configure it in Azure.

    Attributes:
        default_output_tokens: Charged at admission when a call states no maximum.
        max_output_tokens: The most a call may ask for and get.
        answer_tokens: Forces this exact output length, None for natural answers.
        throttle_headers: Which waiting headers this deployment's own 429 carries.
        reset_format: How `x-ratelimit-reset-*` is written: `55`, `55s` or `0m55s`.
    """

    name: str
    account: str
    region: str
    model: str
    kind: str
    tier: str
    tokens_per_minute: int
    requests_per_minute: int
    model_version: str = ""
    context_tokens: int = 128_000
    max_output_tokens: int = 16_384
    default_output_tokens: int = 1_024
    answer_tokens: int | None = None
    throttle_headers: str = "both"
    reset_format: str = "number"
    latency: Latency = Latency()

    @property
    def key(self) -> str:
        """`account/name`, unique in one configuration."""
        return f"{self.account}/{self.name}"

    @property
    def model_id(self) -> str:
        """The model name that responses carry."""
        return f"{self.model}-{self.model_version}" if self.model_version else self.model

    def answers_to(self, selector: str) -> bool:
        """Whether `name` or `account/name` means this deployment."""
        return selector in {self.name, self.key}


def read_file(path: Path) -> tuple[Deployment, ...]:
    """Reads a configuration file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is not JSON or says something wrong; the message names the file and the field.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such configuration file")
    try:
        return parse(orjson.loads(path.read_bytes()))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def parse(document: Any) -> tuple[Deployment, ...]:
    """Turns a configuration document into deployments.

    Raises:
        FieldError: A field is missing, wrong or unknown.
    """
    fields = Fields(document)
    regions: dict[str, str] = {}
    for index, item in enumerate(fields.items("accounts")):
        account = Fields(item, f"accounts[{index}]")
        regions[_name(account, "name")] = account.text("region")
        account.done()
    found = tuple(
        _deployment(Fields(item, f"deployments[{index}]"), regions)
        for index, item in enumerate(fields.items("deployments"))
    )
    fields.done()
    if not found:
        raise FieldError("deployments", "must name at least one deployment")
    keys = [deployment.key for deployment in found]
    if twice := {key for key in keys if keys.count(key) > 1}:
        raise FieldError("deployments", f"names {min(twice)} twice")
    return found


def changed(deployment: Deployment, change: Any) -> Deployment:
    """The deployment with the settings of a change request; what the change does not name stays.

    Raises:
        FieldError: A setting is wrong or cannot be changed while the service runs.
    """
    fields = Fields(change)
    result = dataclasses.replace(deployment, **_settings(fields, deployment))
    fields.done()
    return result


def _deployment(fields: Fields, regions: dict[str, str]) -> Deployment:
    account = fields.text("account")
    if account not in regions:
        raise FieldError(fields.path("account"), f"must be one of the accounts ({', '.join(regions) or 'none given'})")
    blank = Deployment(
        name=_name(fields, "name"),
        account=account,
        region=regions[account],
        model=fields.text("model"),
        model_version=fields.text("model_version") if fields.has("model_version") else "",
        kind=fields.text("kind", choices=("chat", "embeddings")),
        tier=fields.text("tier", choices=("provisioned", "standard")),
        tokens_per_minute=fields.integer("tokens_per_minute", low=1, high=10**12),
        requests_per_minute=fields.integer("requests_per_minute", low=1, high=10**9),
    )
    result = dataclasses.replace(blank, **_settings(fields, blank))
    fields.done()
    return result


def _settings(fields: Fields, now: Deployment) -> dict[str, Any]:
    """The settings that may also change while the service runs."""
    most = fields.integer("max_output_tokens", now.max_output_tokens, low=1, high=10**7)
    forced = "answer_tokens" in fields.unknown()
    answer_tokens = fields.integer("answer_tokens", low=1, high=10**6) if fields.has("answer_tokens") else None
    return {
        "tokens_per_minute": fields.integer("tokens_per_minute", now.tokens_per_minute, low=1, high=10**12),
        "requests_per_minute": fields.integer("requests_per_minute", now.requests_per_minute, low=1, high=10**9),
        "context_tokens": fields.integer("context_tokens", now.context_tokens, low=1, high=10**9),
        "max_output_tokens": most,
        "default_output_tokens": fields.integer("default_output_tokens", now.default_output_tokens, low=1, high=10**7),
        "answer_tokens": answer_tokens if forced else now.answer_tokens,
        "throttle_headers": fields.text("throttle_headers", now.throttle_headers, choices=HEADER_VARIANTS),
        "reset_format": fields.text("reset_format", now.reset_format, choices=RESET_FORMATS),
        "latency": _latency(fields, now.latency),
    }


def _latency(fields: Fields, now: Latency) -> Latency:
    if not fields.has("latency"):
        return now
    inner = Fields(fields.raw("latency"), fields.path("latency"))
    result = Latency(
        time_to_first_token_ms=inner.number("time_to_first_token_ms", now.time_to_first_token_ms, low=0, high=_HOUR_MS),
        per_prompt_token_ms=inner.number("per_prompt_token_ms", now.per_prompt_token_ms, low=0, high=_HOUR_MS),
        between_tokens_ms=inner.number("between_tokens_ms", now.between_tokens_ms, low=0, high=_HOUR_MS),
        spread=inner.number("spread", now.spread, low=0, high=3),
        round_trip_ms=inner.number("round_trip_ms", now.round_trip_ms, low=0, high=_HOUR_MS),
    )
    inner.done()
    return result


def _name(fields: Fields, name: str) -> str:
    value = fields.text(name)
    if not _NAME.fullmatch(value) or value in {"openai", "_sim"}:
        raise FieldError(
            fields.path(name), "must be letters, digits, dot, dash or underscore, at most 64, and not openai or _sim"
        )
    return value
