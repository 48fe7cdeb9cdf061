"""GET /api/: the chat page and its files.

The host tries routes in the alphabetical order of the functions' names, so this catch-all has the last name.
Source: Azure/azure-functions-host issue 9876.
"""

import mimetypes
from pathlib import Path

import azure.functions as func
from azurefunctions.extensions.http.fastapi import FileResponse, Request, Response

from functions.http import SHELL, error_reply
from shared.errors import RouteNotFound
from shared.wiring import Services

FOLDER = (Path(__file__).parent.parent / "web").resolve()
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {**SHELL, "Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}


def make_blueprint(_services: Services) -> func.Blueprint:
    """The trigger."""
    blueprint = func.Blueprint()

    @blueprint.function_name("web_page")
    @blueprint.route(route="{*path}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def web_page(req: Request) -> Response:
        return _file(str(req.path_params.get("path") or ""))

    return blueprint


def _file(path: str) -> Response:
    file = (FOLDER / path).resolve()
    if file.is_dir():
        file /= "index.html"
    if not file.is_relative_to(FOLDER) or not file.is_file():
        return error_reply(RouteNotFound())
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return FileResponse(file, media_type=kind, headers=HEADERS)
