"""Runs one KQL query: rewrites, stages, and the rest through duckdb-kql."""

from collections.abc import Mapping
from datetime import datetime

import duckdb

from local.insights.errors import NotCoveredError
from local.insights.kql import stages
from local.insights.kql.limits import check_sizes, check_text
from local.insights.kql.rewrites import named_serialize, rewrite
from local.insights.kql.session import Session
from local.insights.kql.syntax import first_stage
from local.insights.kql.translation import Translator

_STEPS_MAX = 100


class Engine:
    """KQL over tables whose columns never change. Safe to use from several threads."""

    def __init__(self, tables: Mapping[str, list[str]]) -> None:
        """Prepares the engine for these tables: name -> columns."""
        self._tables = tables
        self.translator = Translator()

    def session(self, connection: duckdb.DuckDBPyConnection, now: datetime) -> Session:
        """A query's session on a connection of its own."""
        return Session(self.translator, connection, self._tables, now)

    def run(self, text: str, session: Session) -> duckdb.DuckDBPyConnection:
        """Runs a query and leaves its result on the session's connection.

        Raises:
            QueryError: One of the errors of `local.insights.errors`.
        """
        check_text(text)
        if text.lstrip().startswith("."):
            raise NotCoveredError("management commands are not part of the query API")
        text = named_serialize(text)
        check_sizes(text, session.parse(text), session)
        return session.run(self._resolved(text, session))

    def _resolved(self, text: str, session: Session) -> str:
        """The query without what duckdb-kql lacks: each such part has run and its place is taken by its result."""
        for _ in range(_STEPS_MAX):
            rewritten = rewrite(text, session.parse(text))
            if rewritten != text:
                text = rewritten
                continue
            stage = first_stage(text, session.parse(text), stages.is_ours)
            if stage is None:
                return text
            text = stage.replaced(stages.run(stage, session))
        raise NotCoveredError(f"a query with more than {_STEPS_MAX} operators of this kind is not covered")
