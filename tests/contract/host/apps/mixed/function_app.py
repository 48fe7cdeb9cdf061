"""Imports the FastAPI extension and still uses the classic request, which the worker refuses."""

import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response

app = func.FunctionApp()


@app.route(route="new")
async def new(req: Request) -> Response:
    return Response()


@app.route(route="old")
async def old(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse()
