"""What a query request asks for: its text, its parameters, and whether the container can serve it."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from local.cosmos.catalog import Container
from local.cosmos.errors import CosmosError, bad_request
from local.cosmos.indexing import IndexingPolicy
from local.cosmos.request import Request
from local.cosmos.sql.calls import VECTOR_DISTANCE, path_of
from local.cosmos.sql.errors import QueryError
from local.cosmos.sql.parser import parse
from local.cosmos.sql.pipeline import Pipeline, compile_query
from local.cosmos.sql.syntax import Call, Name, Order, Query


@dataclass(frozen=True, slots=True)
class Question:
    """A query that was parsed.

    Attributes:
        text: As the client wrote it.
        query: Its tree.
        parameters: Values by name, with the @.
    """

    text: str
    query: Query
    parameters: dict[str, Any]


def read_question(request: Request) -> Question:
    """The query in a request's body.

    Raises:
        CosmosError: 400 when there is none or it is wrong.
    """
    body = request.json()
    if isinstance(body, str):
        body = {"query": body}
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise bad_request("The body of a query must be an object with a string 'query'.")
    return Question(body["query"], parsed(body["query"]), _parameters(body.get("parameters")))


def _parameters(given: Any) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    for parameter in given or ():
        if not isinstance(parameter, dict) or not isinstance(parameter.get("name"), str) or "value" not in parameter:
            raise bad_request("The parameters of a query must be objects with 'name' and 'value'.")
        parameters[parameter["name"]] = parameter["value"]
    return parameters


def parsed(text: str) -> Query:
    """The tree of a query.

    Raises:
        CosmosError: 400 that says what is wrong and where.
    """
    try:
        return parse(text)
    except QueryError as error:
        raise wrong_query(error) from error


def compiled(question: Question, container: Container | None) -> Pipeline:
    """The query ready to run.

    Raises:
        CosmosError: 400 when it names what does not exist, or orders by what the container has not indexed.
    """
    measures = container.policies.measures if container is not None else ()
    try:
        pipeline = (
            _compiled(question.text, measures) if len(question.text) <= 4096 else _compile(question.text, measures)
        )
    except QueryError as error:
        raise wrong_query(error) from error
    if container is not None and question.query.order_by:
        _check_order(question.query, container.policies.indexing)
    return pipeline


def _compile(text: str, measures: tuple[tuple[tuple[str, ...], str], ...]) -> Pipeline:
    return compile_query(parse(text), dict(measures))


_compiled = lru_cache(maxsize=512)(_compile)


def wrong_query(error: QueryError) -> CosmosError:
    """A mistake in a query as the protocol reports it."""
    detail: dict[str, Any] = {"severity": "Error", "code": error.code, "message": error.message}
    if error.start >= 0:
        detail["location"] = {"start": error.start, "end": max(error.end, error.start + 1)}
    return bad_request(orjson.dumps({"errors": [detail]}).decode())


def _check_order(query: Query, policy: IndexingPolicy) -> None:
    vectors = [order for order in query.order_by if _is_vector(order)]
    if vectors:
        if len(query.order_by) > 1:
            raise bad_request("ORDER BY VectorDistance cannot stand together with other keys.")
        if vectors[0].descending is not None:
            raise bad_request("ORDER BY VectorDistance takes no ASC or DESC: the most similar always come first.")
        return
    keys = tuple((_document_path(query, order), bool(order.descending)) for order in query.order_by)
    for path, _ in keys:
        if not policy.is_included(path):
            raise bad_request(f"The path /{'/'.join(path)} of ORDER BY is excluded from the container's index.")
    if len(keys) > 1 and not policy.serves(keys):
        raise bad_request("The ORDER BY has several keys and the container no composite index with exactly those.")


def _is_vector(order: Order) -> bool:
    return isinstance(order.value, Call) and order.value.name == VECTOR_DISTANCE


def _document_path(query: Query, order: Order) -> tuple[str, ...]:
    path, first = path_of(order.value), query.sources[0] if query.sources else None
    is_item = first is not None and isinstance(first.collection, Name) and not first.iterated
    if path is None or len(path) < 2 or first is None or not is_item or path[0] != first.alias:
        raise bad_request("Each key of ORDER BY must be a property of the item, such as c.name, or VectorDistance.")
    return path[1:]
