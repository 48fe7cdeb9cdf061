"""The faults: how each is put in, and how it is taken out again, which is the change that the advice is about."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.advising.site import Site, broken_app

Timed = tuple[str, float]


def nothing(_site: Site) -> None:
    """Leaves everything as it is."""


def plain(site: Site, count: int) -> list[Timed]:
    """Questions one after the other."""
    return [site.ask(number) for number in range(count)]


@dataclass(frozen=True)
class Case:
    """One fault.

    Attributes:
        put_in: Makes the installation ill.
        take_out: Makes the change.
        ask: Asks so many questions.
        turns: In each block; ill and well blocks alternate.
    """

    cause: str
    put_in: Callable[[Site], None]
    take_out: Callable[[Site], None] = Site.calm
    ask: Callable[[Site, int], list[Timed]] = plain
    subject: str = ""
    turns: int = 14
    blocks: int = 3
    well_ask: Callable[[Site, int], list[Timed]] | None = field(default=None)


def _often_refused(site: Site) -> None:
    """So that both deployments of the pool answer: without that the app would avoid the bad one, or never leave it."""
    site.busy(0.12, deployment="first", retry_after_ms=800)


def _far(site: Site) -> None:
    _often_refused(site)
    site.deployment("first", latency={"round_trip_ms": 300})


def _slow(site: Site) -> None:
    _often_refused(site)
    site.deployment("first", latency={"time_to_first_token_ms": 500})


def _wordy(site: Site) -> None:
    _often_refused(site)
    site.deployment("first", answer_tokens=200)


def _mixed(site: Site) -> None:
    site.calm()
    _often_refused(site)


def _slow_search(site: Site) -> None:
    site.slow_store("knowledge", 400, "query")


def _slow_writes(site: Site) -> None:
    for container in ("turns", "sessions"):
        site.slow_store(container, 150)


def _out_of_quota(site: Site) -> None:
    for name in ("first", "second"):
        site.busy(0.55, deployment=name, retry_after_ms=1500)


def _slow_history(site: Site) -> None:
    site.slow_store("sessions", 250, "query")
    site.slow_store("knowledge", 250, "query")


def _in_sessions(site: Site, count: int) -> list[Timed]:
    """Follow-up questions, which have a history to read."""
    sessions = [site.session() for _ in range(2)]
    return [site.ask(number, session_id=sessions[number % 2]) for number in range(count)]


def _of_all_lengths(site: Site, count: int) -> list[Timed]:
    return [site.ask(number, padding=(0, 40, 80, 120)[number % 4]) for number in range(count)]


def _slowly_sent(site: Site, count: int) -> list[Timed]:
    return [site.ask(number, upload_seconds=0.4) for number in range(count)]


def _after_each_start(site: Site, count: int) -> list[Timed]:
    found: list[Timed] = []
    for begin in range(0, count, 4):
        site.restart_app()
        found += [site.ask(number) for number in range(begin, begin + 4)]
    return found


def _long_instructions(site: Site) -> None:
    rules = "Never promise what the documents do not say, and keep to the order of the sources. "
    site.restart_app(SPILLWAY_SYSTEM_PROMPT="You answer customers of a shop. " + rules * 250)
    for name in ("first", "second"):
        site.deployment(name, latency={"per_prompt_token_ms": 0.15})


def _short_instructions(site: Site) -> None:
    site.restart_app(SPILLWAY_SYSTEM_PROMPT="You answer customers of a shop.")
    for name in ("first", "second"):
        site.deployment(name, latency={"per_prompt_token_ms": 0.15})


def cases(folder: Path) -> Sequence[Case]:
    """All ten; files of theirs go into the folder."""
    broken = broken_app(folder / "broken")

    def break_app(site: Site) -> None:
        site.restart_app(app=broken)
        _slow_history(site)

    def mend_app(site: Site) -> None:
        site.restart_app()
        site.calm()
        _slow_history(site)

    return (
        Case("sequential_context", break_app, mend_app, _in_sessions, blocks=2, turns=18),
        Case("slow_context", _slow_search, subject="search"),
        Case("long_answers", _wordy, _mixed),
        Case("large_prompt", _long_instructions, _short_instructions, _of_all_lengths, "repeated_prefix", 20, 2),
        Case("far_region", _far, _mixed, subject="first"),
        Case("slow_deployment", _slow, _mixed, subject="first"),
        Case("cold_start", nothing, nothing, _after_each_start, turns=20, blocks=2, well_ask=plain),
        Case("quota", _out_of_quota),
        Case("slow_store", _slow_writes),
        Case("slow_client", nothing, nothing, _slowly_sent, well_ask=plain),
    )


def summary(case: Case) -> dict[str, Any]:
    """The case for the result file."""
    return {"cause": case.cause, "subject": case.subject, "turns": case.turns * case.blocks}
