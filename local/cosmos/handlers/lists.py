"""Lists of databases, containers and offers, whole or chosen by a query."""

from typing import Any

import orjson

from local.cosmos.errors import bad_request
from local.cosmos.query_request import compiled, read_question, wrong_query
from local.cosmos.request import Request
from local.cosmos.sql.errors import QueryError, QueryTooExpensive

IS_QUERY = "x-ms-documentdb-isquery"


def is_query(request: Request) -> bool:
    """Whether a POST asks a question instead of creating something."""
    content_type = request.headers.get("content-type", "")
    return request.is_true(IS_QUERY) or content_type.startswith("application/query+json")


def chosen(resources: list[dict[str, Any]], request: Request) -> list[bytes]:
    """The resources as JSON, or the results of the request's query over them.

    Raises:
        CosmosError: 400 for a wrong query or one that does too much.
    """
    if not is_query(request):
        return [orjson.dumps(resource) for resource in resources]
    question = read_question(request)
    pipeline = compiled(question, None)
    try:
        rows = pipeline.rows(pipeline.environment(question.parameters), enumerate(resources))
    except QueryError as error:
        raise wrong_query(error) from error
    except QueryTooExpensive as error:
        raise bad_request(error.message) from error
    return [orjson.dumps(row.value) for row in rows]
