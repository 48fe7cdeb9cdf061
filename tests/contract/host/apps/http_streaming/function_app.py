"""HTTP functions with the FastAPI extension."""

import asyncio
import logging
import os
import threading
from collections.abc import AsyncIterator

import azure.functions as func
from azurefunctions.extensions.http.fastapi import JSONResponse, Request, Response, StreamingResponse
from shapes import SHAPES

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
_ends: list[str] = []


async def _chunks(count: int, delay_seconds: float) -> AsyncIterator[str]:
    try:
        for number in range(count):
            yield f"data: {number}\n\n"
            await asyncio.sleep(delay_seconds)
        _ends.append("complete")
    except asyncio.CancelledError:
        _ends.append("cancelled")
        raise
    finally:
        _ends.append("finally")


@app.route(route="stream", methods=[func.HttpMethod.GET])
async def stream(req: Request) -> StreamingResponse:
    count, delay_seconds = int(req.query_params.get("count", "3")), float(req.query_params.get("delay", "0.05"))
    return StreamingResponse(_chunks(count, delay_seconds), media_type="text/event-stream")


@app.route(route="cut", methods=[func.HttpMethod.GET])
async def cut(req: Request) -> StreamingResponse:
    async def fails() -> AsyncIterator[str]:
        yield "data: 0\n\n"
        raise RuntimeError("in the middle of the stream")

    return StreamingResponse(fails(), media_type="text/event-stream")


@app.route(route="ends", auth_level=func.AuthLevel.ANONYMOUS)
async def ends(req: Request) -> list:
    return _ends


@app.route(route="instance", auth_level=func.AuthLevel.ANONYMOUS)
async def instance(req: Request) -> dict:
    return {"instance": os.environ["WEBSITE_INSTANCE_ID"], "pid": os.getpid()}


@app.route(route="shapes/{shape}")
async def shapes(req: Request) -> JSONResponse:
    return SHAPES[req.path_params["shape"]]()


@app.route(route="nothing")
async def nothing(req: Request) -> Response:
    return None


@app.route(route="fails")
async def fails(req: Request) -> Response:
    raise RuntimeError("as it must")


@app.route(route="echo", methods=["POST", "PUT"])
async def echo(req: Request, context: func.Context) -> dict:
    return {
        "method": req.method,
        "query": dict(req.query_params),
        "body": (await req.body()).decode(),
        "header": req.headers.get("x-test"),
        "invocation_header": req.headers.get("x-ms-invocation-id"),
        "invocation_id": context.invocation_id,
        "function": context.function_name,
        "trace": context.trace_context.trace_parent,
    }


@app.route(route="blocking")
def blocking(req: Request) -> dict:
    """Is on a thread: blocks until the other call of this function has come."""
    logging.getLogger("blocking").info("calling")
    _together.wait(timeout=10)
    return {"thread": threading.current_thread().name}


_together = threading.Barrier(2)


@app.route(route="items/{id:int}")
async def item_by_number(req: Request) -> dict:
    return {"function": "item_by_number", **req.path_params}


@app.route(route="items/{name:alpha}/{part?}")
async def item_by_name(req: Request) -> dict:
    return {"function": "item_by_name", **req.path_params}


@app.route(route="files/{*path}")
async def file(req: Request) -> dict:
    return {"function": "file", **req.path_params}


@app.route(route="zoo/{animal}")
async def any_animal(req: Request) -> dict:
    return {"function": "any_animal"}


@app.route(route="zoo/lion")
async def the_lion(req: Request) -> dict:
    return {"function": "the_lion"}


@app.route(route="manage", auth_level=func.AuthLevel.ADMIN)
async def manage(req: Request) -> dict:
    return {"function": "manage"}
