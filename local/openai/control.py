"""The control plane under `/_sim/`: faults, settings, and the account of every call."""

import time
from typing import Any
from urllib.parse import parse_qs

import orjson

from local.openai import config
from local.openai.auth import authorise
from local.openai.errors import ServiceError, gateway_body, no_such_route, unparseable, wrong_method
from local.openai.exchange import Exchange
from local.openai.fields import FieldError
from local.openai.service import Running, Service, Tally

DEFAULT_CALLS, MOST_CALLS = 10_000, 100_000
_MOST_BODY_BYTES = 65_536


async def respond(service: Service, exchange: Exchange) -> None:
    """Answers one request of the control plane.

    Raises:
        ServiceError: It is wrong, or it comes from another machine without the key.
        ClientGone: The caller left.
    """
    if exchange.client_host not in {"127.0.0.1", "::1", ""}:
        authorise(exchange.headers, service.key)
    name, _, rest = exchange.path.removeprefix("/_sim/").partition("/")
    handler = {
        "faults": _faults,
        "deployments": _deployments,
        "calls": _calls,
        "account": _account,
        "reset": _reset,
    }.get(name)
    if handler is None:
        raise no_such_route()
    try:
        status, document = await handler(service, exchange, rest)
    except FieldError as error:
        raise ServiceError(400, gateway_body("InvalidArgument", f"{error}."), "bad_request") from error
    await exchange.answer(status, orjson.dumps(document), [(b"content-type", b"application/json")])


async def _faults(service: Service, exchange: Exchange, fault_id: str) -> tuple[int, dict[str, Any]]:
    now = time.monotonic()
    if exchange.method == "GET" and not fault_id:
        return 200, {"faults": [fault.describe(now) for fault in service.faults.active(now)]}
    if exchange.method == "DELETE":
        removed = service.faults.clear() if not fault_id else int(service.faults.remove(fault_id))
        if fault_id and not removed:
            raise _no_such("fault", fault_id)
        return 200, {"removed": removed}
    if exchange.method != "POST" or fault_id:
        raise wrong_method("DELETE" if fault_id else "GET, POST, DELETE")
    wish = await _document(exchange)
    selector = wish.get("deployment")
    if isinstance(selector, str) and not service.selected(selector):
        raise _no_such("deployment", selector)
    return 201, {"id": service.faults.add(wish, now).id}


async def _deployments(service: Service, exchange: Exchange, selector: str) -> tuple[int, dict[str, Any]]:
    found = service.selected(selector) if selector else service.running
    if not found:
        raise _no_such("deployment", selector)
    if exchange.method == "PATCH" and selector:
        change = await _document(exchange)
        changed = [config.changed(running.deployment, change) for running in found]
        for running, deployment in zip(found, changed, strict=True):
            running.change(deployment)
    elif exchange.method != "GET":
        raise wrong_method("GET, PATCH" if selector else "GET")
    return 200, {"deployments": [_settings(running) for running in found]}


async def _calls(service: Service, exchange: Exchange, rest: str) -> tuple[int, dict[str, Any]]:
    _only("GET", exchange, rest)
    query = parse_qs(exchange.query.decode("latin-1"))
    since = _whole_number(query, "since", 0, 0, 2**62)
    limit = _whole_number(query, "limit", DEFAULT_CALLS, 1, MOST_CALLS)
    calls = service.ledger.since(since, limit)
    following = calls[-1]["number"] if calls else max(since, service.ledger.forgotten)
    in_flight = sum(running.tally.in_flight for running in service.running)
    return 200, {
        "calls": calls,
        "next": following,
        "more": following < service.ledger.finished,
        "in_flight": in_flight,
        "forgotten": service.ledger.forgotten,
    }


async def _account(service: Service, exchange: Exchange, rest: str) -> tuple[int, dict[str, Any]]:
    _only("GET", exchange, rest)
    outcomes = service.unrouted.outcomes.copy()
    for running in service.running:
        outcomes.update(running.tally.outcomes)
    return 200, {
        "calls": service.ledger.finished,
        "outcomes": dict(outcomes),
        "unrouted": dict(service.unrouted.outcomes),
        "token_window_seconds": service.window_seconds,
        "deployments": {running.deployment.key: _sums(running) for running in service.running},
    }


async def _reset(service: Service, exchange: Exchange, rest: str) -> tuple[int, dict[str, Any]]:
    _only("POST", exchange, rest)
    service.reset()
    return 200, {"reset": True}


def _sums(running: Running) -> dict[str, Any]:
    tally: Tally = running.tally
    second, ten, minute = (peak.most for peak in tally.requests_in_slice)
    return {
        "tier": running.deployment.tier,
        "tokens_per_minute": running.deployment.tokens_per_minute,
        "requests_per_minute": running.deployment.requests_per_minute,
        "calls": tally.outcomes.total(),
        "outcomes": dict(tally.outcomes),
        "in_flight": tally.in_flight,
        "most_in_flight": tally.most_in_flight,
        "admitted_tokens": tally.admitted_tokens,
        "prompt_tokens": tally.prompt_tokens,
        "output_tokens": tally.output_tokens,
        "most_tokens_in_window": tally.tokens_in_window.most,
        "most_requests_in_1_second": second,
        "most_requests_in_10_seconds": ten,
        "most_requests_in_60_seconds": minute,
        "highest_utilization_percent": tally.highest_utilization_percent,
    }


def _settings(running: Running) -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads(orjson.dumps(running.deployment))
    return document


async def _document(exchange: Exchange) -> dict[str, Any]:
    try:
        document = orjson.loads(await exchange.body(_MOST_BODY_BYTES))
    except orjson.JSONDecodeError as error:
        raise unparseable() from error
    if not isinstance(document, dict):
        raise unparseable()
    return document


def _only(method: str, exchange: Exchange, rest: str) -> None:
    if rest:
        raise no_such_route()
    if exchange.method != method:
        raise wrong_method(method)


def _whole_number(query: dict[str, list[str]], name: str, default: int, low: int, high: int) -> int:
    text = query.get(name, [str(default)])[0]
    if not text.isascii() or not text.isdigit() or len(text) > 19 or not low <= int(text) <= high:
        raise FieldError(name, f"must be a whole number between {low} and {high}")
    return int(text)


def _no_such(kind: str, name: str) -> ServiceError:
    return ServiceError(404, gateway_body("NotFound", f"There is no {kind} {name[:64]}."), "not_found")
