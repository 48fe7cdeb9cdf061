"""Tells the observer what became of a question at the door."""

import functools
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from shared.errors import SpillwayError
from shared.telemetry.facts import RequestAccepted, RequestRefused, Subject
from shared.telemetry.observer import Observer
from shared.turns import Turn


class _Accepted(Protocol):
    """What an acceptor returns."""

    @property
    def turn(self) -> Turn:
        """The turn as it was stored."""

    @property
    def fresh(self) -> bool:
        """It was accepted just now."""


class _Acceptor(Protocol):
    """Who accepts."""

    @property
    def observer(self) -> Observer:
        """Who is told."""


A = TypeVar("A", bound=_Acceptor)
R = TypeVar("R", bound=_Accepted)
P = ParamSpec("P")
Accept = Callable[Concatenate[A, Turn, P], Coroutine[Any, Any, R]]


def announced(accept: Accept[A, P, R]) -> Accept[A, P, R]:
    """An acceptor's method whose outcome is told: accepted, or refused with an error of Spillway."""

    @functools.wraps(accept)
    async def told(acceptor: A, turn: Turn, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            accepted = await accept(acceptor, turn, *args, **kwargs)
        except SpillwayError as error:
            acceptor.observer.tell(RequestRefused(turn.tenant, turn.lane.value, error.code))
            raise
        acceptor.observer.tell(RequestAccepted(Subject.of(accepted.turn), fresh=accepted.fresh))
        return accepted

    return told
