"""What both the context of a turn and the cache need of it, fetched once by whoever asks first."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

Start = Callable[[Coroutine[Any, Any, Any]], "asyncio.Task[Any]"]


class Sources:
    """The history and the vector of one turn's question."""

    def __init__(
        self,
        start: Start,
        *,
        history: Callable[[], Coroutine[Any, Any, list[dict[str, Any]]]],
        vector: Callable[[], Coroutine[Any, Any, list[float]]],
    ) -> None:
        """Takes how each is fetched; `start` makes a task that somebody keeps."""
        self._start, self._fetch_history, self._fetch_vector = start, history, vector
        self._history: asyncio.Task[list[dict[str, Any]]] | None = None
        self._vector: asyncio.Task[list[float]] | None = None

    async def history(self) -> list[dict[str, Any]]:
        """The session's last turns; see `SessionStore.recent`."""
        if self._history is None:
            self._history = self._start(self._fetch_history())
        return await asyncio.shield(self._history)

    async def vector(self) -> list[float]:
        """The question's vector."""
        if self._vector is None:
            self._vector = self._start(self._fetch_vector())
        return await asyncio.shield(self._vector)

    @property
    def known_vector(self) -> list[float] | None:
        """The vector when it is there already."""
        task = self._vector
        return None if task is None or not task.done() or task.cancelled() or task.exception() else task.result()
