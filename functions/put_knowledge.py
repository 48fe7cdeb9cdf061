"""PUT /api/knowledge: what the caller's tenant is answered from, for operators."""

import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response

from functions.http import body_of, guarded, json_reply
from shared.api.models import KnowledgeBatch, validated
from shared.ports import Passage
from shared.wiring import Services


def make_blueprint(services: Services) -> func.Blueprint:
    """The trigger, bound to its services."""
    blueprint = func.Blueprint()

    @blueprint.function_name("put_knowledge")
    @blueprint.route(route="knowledge", methods=["PUT"], auth_level=func.AuthLevel.ANONYMOUS)
    async def put_knowledge(req: Request) -> Response:
        return await guarded(_put(req, services))

    return blueprint


async def _put(request: Request, services: Services) -> Response:
    principal = services.door.enter_operator(request.headers, request.query_params)
    batch = validated(KnowledgeBatch, await body_of(request))
    passages = [Passage(entry.id, entry.title, entry.text, entry.url) for entry in batch.documents]
    stored = await (await services.open()).knowledge.put(principal.tenant, passages)
    return json_reply({"stored": stored})
