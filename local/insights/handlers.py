"""One handler per operation: decode, call, encode."""

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from local.insights.errors import (
    IntakeError,
    InvalidRequestError,
    NotCoveredError,
    QueryError,
    intake_error_response,
    query_error_response,
)
from local.insights.intake import Batch, decompress, parse, too_large
from local.insights.queries import Query
from local.insights.service import Service
from local.insights.timespans import parse_moment, parse_timespan

_BODY_SECONDS = 60.0
_QUERY_BODY_BYTES = 1_000_000


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


async def track(request: Request) -> Response:
    """`POST /v2.1/track`: stores telemetry and answers when it is durable."""
    service = _service(request)
    service.counts.requests += 1
    try:
        batch = await _received(request, service)
        if batch.rows:
            await service.writer.write(batch)
    except IntakeError as error:
        service.counts.refused_requests += 1
        return intake_error_response(error)
    except ClientDisconnect:
        return Response(status_code=400)
    service.counts.envelopes_received += batch.received
    service.counts.envelopes_accepted += batch.accepted
    status = 200 if not batch.errors else 206 if batch.accepted else 400
    answer = {"itemsReceived": batch.received, "itemsAccepted": batch.accepted, "errors": batch.errors}
    return JSONResponse(answer, status)


async def _received(request: Request, service: Service) -> Batch:
    limit = service.limits.body_bytes
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        raise too_large(limit)
    encoding = request.headers.get("content-encoding", "")
    async with service.bodies.reading(request.stream(), limit_bytes=limit, seconds_max=_BODY_SECONDS) as body:
        return await asyncio.get_running_loop().run_in_executor(
            service.decoding, lambda: parse(decompress(body, encoding, limit), service.instrumentation_key)
        )


async def live_metrics(request: Request) -> Response:
    """`POST /QuickPulseService.svc/...`: nobody watches, so the sender stays quiet."""
    _service(request).counts.live_pings += 1
    return JSONResponse({}, headers={"x-ms-qps-subscribed": "false"})


async def query(request: Request) -> Response:
    """`POST /v1/apps/{id}/query` and `POST /v1/workspaces/{id}/query`."""
    try:
        answer = await _service(request).queries.run(await _query(request))
    except QueryError as error:
        return query_error_response(error)
    except ClientDisconnect:
        return Response(status_code=400)
    body = b'{"tables":' + answer.tables
    if answer.partial is not None:
        inner = {"code": "PartialResult", "message": answer.partial}
        lacking = {
            "code": "PartialError",
            "message": "Part of the result is missing",
            "innererror": inner,
        }
        body += b',"error":' + orjson.dumps(lacking)
    headers = {"content-type": "application/json; charset=utf-8"}
    if answer.approximations:
        headers["x-sim-approximation"] = ", ".join(sorted(answer.approximations))
    return Response(body + b"}", headers=headers)


async def _query(request: Request) -> Query:
    fields = await _fields(request)
    text, timespan = fields.get("query"), fields.get("timespan")
    if not isinstance(text, str) or not text.strip():
        raise InvalidRequestError("query must be a text")
    if timespan is not None and not isinstance(timespan, str):
        raise InvalidRequestError("timespan must be a text")
    for name in ("applications", "workspaces"):
        if fields.get(name):
            raise NotCoveredError(f"{name} (a query over several resources) is not covered")
    shifted = request.headers.get("x-sim-now")
    now = parse_moment(shifted, "x-sim-now") if shifted else datetime.now(UTC)
    return Query(text, now, parse_timespan(timespan, now) if timespan else None)


async def _fields(request: Request) -> dict[str, Any]:
    if request.method == "GET":
        return dict(request.query_params)
    bodies = _service(request).bodies
    try:
        async with bodies.reading(request.stream(), limit_bytes=_QUERY_BODY_BYTES, seconds_max=_BODY_SECONDS) as body:
            fields = orjson.loads(body)
    except IntakeError as error:
        raise InvalidRequestError(str(error)) from error
    except orjson.JSONDecodeError as error:
        raise InvalidRequestError(f"the body is not valid JSON: {error}") from error
    if not isinstance(fields, dict):
        raise InvalidRequestError("the body must be a JSON object")
    return fields


async def account(request: Request) -> Response:
    """`GET /_sim/account`: what this service has taken in and answered. The real service has no such address."""
    service = _service(request)
    rows = await asyncio.get_running_loop().run_in_executor(service.decoding, service.store.row_counts)
    queries, translator, writer = service.queries, service.queries.engine.translator, service.writer
    return JSONResponse(
        {
            "rows": rows,
            "ingestion": asdict(service.counts),
            "writer": {"commits": writer.commits, "expired_rows": writer.expired_rows},
            "queries": {"answered": queries.answered, "refused": queries.refused},
            "translations": {"kept": translator.hits, "made": translator.misses},
        }
    )


async def failed(_request: Request, error: Exception) -> Response:
    """A fault of this service itself; the log has its cause."""
    fault = {"code": "InternalServerError", "message": f"the service failed with {type(error).__name__}; see its log"}
    return JSONResponse({"error": fault}, 500)


async def not_covered(request: Request) -> Response:
    """Every other address: said plainly, in the query API's error shape."""
    error = NotCoveredError(f"{request.method} {request.url.path} is not covered; see local/insights/COVERAGE.md")
    return JSONResponse({"error": error.body() | {"code": "PathNotFoundError"}}, 404)
