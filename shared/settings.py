"""Everything that differs between a laptop and Azure. The only reader of the environment."""

import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self, TypeVar

from shared.errors import SettingsError
from shared.lanes import DEADLINE_SECONDS, Lane
from shared.policies.spill import SpillRule
from shared.telemetry.prices import Price, parse_prices

T = TypeVar("T")


class Tier(StrEnum):
    """How a deployment is paid for."""

    PROVISIONED = "provisioned"
    STANDARD = "standard"


@dataclass(frozen=True, slots=True)
class Deployment:
    """One model deployment that can answer for a model name.

    Attributes:
        name: Unique name in this installation, used in logs and metrics.
        model: The model name that callers ask for; deployments with the same one form a pool.
        endpoint: Base URL of the v1 API, such as https://RESOURCE.openai.azure.com/openai/v1/.
        deployment: Name of the deployment at the endpoint; `name` when not given.
        kind: `chat` or `embeddings`.
        api: What a chat deployment speaks, by its name in `shared.wiring`.
    """

    name: str
    model: str
    endpoint: str
    deployment: str
    tier: Tier = Tier.STANDARD
    region: str = "unknown"
    tokens_per_minute: int = 100_000
    requests_per_minute: int = 600
    kind: str = "chat"
    api: str = "chat-completions"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A credential of a caller, known by the SHA-256 of the key only."""

    sha256: str
    tenant: str
    operator: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, read once at start. Durations are seconds."""

    cosmos_endpoint: str
    cosmos_key: str | None
    cosmos_database: str
    service_bus_connection_string: str | None
    service_bus_namespace: str | None
    deployments: tuple[Deployment, ...]
    openai_key: str | None
    openai_scope: str
    api_keys: tuple[ApiKey, ...]
    auth: str
    client_id: str | None
    instance_id: str
    default_model: str
    system_prompt: str | None
    knowledge_enabled: bool
    log_content: bool
    max_output_tokens: int
    history_turns: int
    knowledge_passages: int
    embedding_dimensions: int
    context_seconds: float
    max_direct_turns: int
    max_tenant_turns: int
    max_runs: int
    capacity_share: float
    lease_seconds: float
    checkpoint_seconds: float
    stream_seconds: float
    keep_alive_seconds: float
    durable_poll_seconds: float
    lane_deadline_seconds: Mapping[str, float] = field(default_factory=dict)
    turn_ttl_seconds: int = 604_800
    prices: Mapping[str, Price] = field(default_factory=dict)
    judge_model: str | None = None
    judge_seconds: float = 60.0
    sample_share: float = 0.05
    evaluations_per_hour: int = 200
    datasets: str | None = None
    canary_seconds: float = 0.0
    interactive_share: float = 0.1
    spill: Mapping[str, SpillRule] = field(default_factory=dict)
    query_endpoint: str | None = None
    workbook_url: str | None = None
    requests_per_minute: int = 12_000
    history_tokens: int = 4_000
    cache_chat: str = "off"
    cache_completions: str = "off"
    cache_ttl_seconds: int = 3600
    cache_entries: int = 10_000
    cache_similarity: float = 0.85

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Reads all settings.

        Raises:
            SettingsError: One or more are missing or wrong; the message lists them all.
        """
        read = _Reader(os.environ if environment is None else environment)
        connection = read.text("ServiceBusConnection", default=None)
        settings = cls(
            cosmos_endpoint=read.url("COSMOS_ENDPOINT"),
            cosmos_key=read.text("COSMOS_KEY", default=None),
            cosmos_database=read.text("COSMOS_DATABASE", default="spillway") or "spillway",
            service_bus_connection_string=connection,
            service_bus_namespace=read.text(
                "ServiceBusConnection__fullyQualifiedNamespace", default=None if connection else ...
            ),
            deployments=read.parsed("SPILLWAY_DEPLOYMENTS", _deployments, "a JSON list of model deployments"),
            openai_key=read.text("SPILLWAY_OPENAI_KEY", default=None),
            openai_scope=read.text("SPILLWAY_OPENAI_SCOPE", default=None) or "https://ai.azure.com/.default",
            api_keys=read.parsed("SPILLWAY_API_KEYS", _api_keys, "a JSON list of keys", default=()),
            auth=read.choice("SPILLWAY_AUTH", ("key", "entra"), default="key"),
            client_id=read.text("AZURE_CLIENT_ID", default=None),
            instance_id=read.text("WEBSITE_INSTANCE_ID", default=None) or "local",
            default_model=read.text("SPILLWAY_DEFAULT_MODEL", default=None) or "gpt-4o-mini",
            system_prompt=read.text("SPILLWAY_SYSTEM_PROMPT", default=None),
            knowledge_enabled=read.flag("SPILLWAY_KNOWLEDGE_ENABLED", default=True),
            log_content=read.flag("SPILLWAY_LOG_CONTENT", default=False),
            max_output_tokens=read.whole("SPILLWAY_MAX_OUTPUT_TOKENS", 1, 128_000, default=800),
            history_turns=read.whole("SPILLWAY_HISTORY_TURNS", 0, 100, default=10),
            knowledge_passages=read.whole("SPILLWAY_KNOWLEDGE_PASSAGES", 1, 50, default=4),
            embedding_dimensions=read.whole("SPILLWAY_EMBEDDING_DIMENSIONS", 1, 4096, default=256),
            context_seconds=read.number("SPILLWAY_CONTEXT_SECONDS", 0.01, 60, default=2.0),
            max_direct_turns=read.whole("SPILLWAY_MAX_DIRECT_TURNS", 0, 10_000, default=64),
            max_tenant_turns=read.whole("SPILLWAY_MAX_TENANT_TURNS", 1, 10_000, default=64),
            max_runs=read.whole("SPILLWAY_MAX_RUNS", 1, 100, default=5),
            capacity_share=read.number("SPILLWAY_CAPACITY_SHARE", 0.001, 1, default=1.0),
            lease_seconds=read.number("SPILLWAY_LEASE_SECONDS", 1, 300, default=20.0),
            checkpoint_seconds=read.number("SPILLWAY_CHECKPOINT_SECONDS", 0.1, 60, default=2.0),
            stream_seconds=read.number("SPILLWAY_STREAM_SECONDS", 1, 225, default=200.0),
            keep_alive_seconds=read.number("SPILLWAY_KEEP_ALIVE_SECONDS", 0.1, 60, default=10.0),
            durable_poll_seconds=read.number("SPILLWAY_DURABLE_POLL_SECONDS", 0.05, 60, default=3.0),
            lane_deadline_seconds={
                lane: read.number(f"SPILLWAY_DEADLINE_{lane.upper()}_SECONDS", 1, 3600, default=usual)
                for lane, usual in DEADLINE_SECONDS.items()
            },
            turn_ttl_seconds=read.whole("SPILLWAY_TURN_TTL_SECONDS", 60, 31_536_000, default=604_800),
            prices=read.parsed("SPILLWAY_PRICES", parse_prices, "a JSON object of prices by model", default={}),
            judge_model=read.text("SPILLWAY_JUDGE_MODEL", default=None),
            judge_seconds=read.number("SPILLWAY_JUDGE_SECONDS", 1, 300, default=60.0),
            sample_share=read.number("SPILLWAY_SAMPLE_SHARE", 0, 1, default=0.05),
            evaluations_per_hour=read.whole("SPILLWAY_EVALUATIONS_PER_HOUR", 0, 100_000, default=200),
            datasets=read.text("SPILLWAY_DATASETS", default=None),
            canary_seconds=read.number("SPILLWAY_CANARY_SECONDS", 0, 86_400, default=0.0),
            interactive_share=read.number("SPILLWAY_INTERACTIVE_SHARE", 0, 0.9, default=0.1),
            spill=read.parsed("SPILLWAY_SPILL", _spill, "a JSON object of rules by model", default={}),
            query_endpoint=read.url("SPILLWAY_QUERY_ENDPOINT", default=None) or None,
            workbook_url=read.url("SPILLWAY_WORKBOOK_URL", default=None) or None,
            requests_per_minute=read.whole("SPILLWAY_REQUESTS_PER_MINUTE", 0, 10_000_000, default=12_000),
            history_tokens=read.whole("SPILLWAY_HISTORY_TOKENS", 0, 1_000_000, default=4_000),
            cache_chat=read.choice("SPILLWAY_CACHE_CHAT", ("off", "exact", "semantic"), default="off"),
            cache_completions=read.choice("SPILLWAY_CACHE_COMPLETIONS", ("off", "exact"), default="off"),
            cache_ttl_seconds=read.whole("SPILLWAY_CACHE_TTL_SECONDS", 1, 2_592_000, default=3600),
            cache_entries=read.whole("SPILLWAY_CACHE_ENTRIES", 1, 1_000_000, default=10_000),
            cache_similarity=read.number("SPILLWAY_CACHE_SIMILARITY", 0.5, 1, default=0.85),
        )
        read.finish()
        return settings


class _Reader:
    """Reads one setting at a time and collects what is wrong, so that all faults are reported at once."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._faults: list[str] = []

    def text(self, name: str, *, default: Any = ...) -> str | None:
        value = self._environment.get(name, "").strip()
        if value:
            return value
        if default is ...:
            self._faults.append(f"{name} is missing")
            return None
        return None if default is None else str(default)

    def url(self, name: str, *, default: Any = ...) -> str:
        value = self.text(name, default=default) or ""
        if value and not value.startswith(("http://", "https://")):
            self._faults.append(f"{name} must be a URL that starts with https:// or http://")
        return value

    def choice(self, name: str, allowed: tuple[str, ...], *, default: str) -> str:
        value = self.text(name, default=default) or default
        if value not in allowed:
            self._faults.append(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        return self.choice(name, ("true", "false"), default=str(default).lower()) == "true"

    def number(self, name: str, least: float, most: float, *, default: float) -> float:
        value = self.text(name, default=default)
        try:
            number = float(value or default)
        except ValueError:
            number = float("nan")
        if not least <= number <= most:
            self._faults.append(f"{name} must be a number from {least:g} to {most:g}, not {value!r}")
        return number

    def whole(self, name: str, least: int, most: int, *, default: int) -> int:
        number = self.number(name, least, most, default=default)
        if math.isnan(number):
            return default
        if not float(number).is_integer():
            self._faults.append(f"{name} must be a whole number, not {number:g}")
        return int(number)

    def parsed(self, name: str, parse: Callable[[Any], T], wants: str, *, default: Any = ...) -> T:
        value = self.text(name, default=... if default is ... else None)
        if value is None:
            return () if default is ... else default  # type: ignore[return-value]  # the fault is already noted
        try:
            return parse(json.loads(value))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            self._faults.append(f"{name} must be {wants}: {error}")
            return ()  # type: ignore[return-value]  # never used: finish() raises

    def finish(self) -> None:
        if self._faults:
            raise SettingsError("; ".join(self._faults) + ". See docs/settings.md.")


def _deployments(value: Any) -> tuple[Deployment, ...]:
    found = tuple(
        Deployment(
            name=str(entry["name"]),
            model=str(entry["model"]),
            endpoint=str(entry["endpoint"]).rstrip("/") + "/",
            deployment=str(entry.get("deployment", entry["name"])),
            tier=Tier(entry.get("tier", "standard")),
            region=str(entry.get("region", "unknown")),
            tokens_per_minute=_positive(entry, "tokens_per_minute", 100_000),
            requests_per_minute=_positive(entry, "requests_per_minute", 600),
            kind=_kind(entry.get("kind", "chat")),
            api=str(entry.get("api", "chat-completions")),
        )
        for entry in value
    )
    if len({deployment.name for deployment in found}) != len(found):
        raise ValueError("two deployments have the same name")
    if not any(deployment.kind == "chat" for deployment in found):
        raise ValueError("at least one deployment of kind chat is needed")
    return found


def _spill(value: Any) -> dict[str, SpillRule]:
    rules = {
        str(model): SpillRule(
            to=tuple(str(other) for other in rule["to"]),
            lanes=frozenset(str(lane) for lane in rule.get("lanes", ["interactive"])),
            most_cost_ratio=float(rule.get("most_cost_ratio", 1.0)),
        )
        for model, rule in value.items()
    }
    strange = {lane for rule in rules.values() for lane in rule.lanes} - set(Lane)
    if strange:
        raise ValueError(f"there is no lane {', '.join(sorted(strange))}")
    return rules


def _positive(entry: Mapping[str, Any], name: str, default: int) -> int:
    number = int(entry.get(name, default))
    if number <= 0:
        raise ValueError(f"{name} of {entry['name']} must be above 0")
    return number


def _kind(value: str) -> str:
    if value not in {"chat", "embeddings"}:
        raise ValueError(f"kind must be chat or embeddings, not {value!r}")
    return value


def _api_keys(value: Any) -> tuple[ApiKey, ...]:
    keys = tuple(
        ApiKey(str(entry["sha256"]).lower(), str(entry["tenant"]), operator=bool(entry.get("operator", False)))
        for entry in value
    )
    if any(len(key.sha256) != 64 or not key.tenant for key in keys):
        raise ValueError("each key needs a tenant and the 64 hexadecimal characters of its SHA-256")
    return keys
