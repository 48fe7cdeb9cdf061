"""What the scripted server plays: the steps of one turn, as a test writes them down."""

import asyncio
import threading
from dataclasses import dataclass, field
from typing import Any


class Gate:
    """Holds a script until the test opens it, so that a test can look at a state without racing it."""

    def __init__(self) -> None:
        self._opened = threading.Event()

    def open(self) -> None:
        """Lets every script that waits here go on."""
        self._opened.set()

    async def passed(self) -> None:
        """Returns once the gate is open."""
        while not self._opened.is_set():  # noqa: ASYNC110  (the gate is opened by another thread, outside any loop)
            await asyncio.sleep(0.005)


@dataclass(frozen=True, slots=True)
class Send:
    """Sends one event and keeps it for those who come back."""

    event: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cut:
    """Ends the connection without a word: abruptly, or with a clean end of the body."""

    abruptly: bool = True


@dataclass(frozen=True, slots=True)
class Raw:
    """Sends these characters as they are."""

    text: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer instead of a stream."""

    status: int
    code: str
    retry_after_seconds: int | None = None
    body: bytes | None = None


Step = Send | Raw | Cut | Gate


@dataclass
class Turn:
    """One turn: what is still to be played, and what was."""

    turn_id: str
    session_id: str
    question: str
    steps: list[Step]
    log: list[Send] = field(default_factory=list)
    state: str = "running"
    rating: str | None = None

    @property
    def answer(self) -> str:
        """The text since the last restart."""
        text = ""
        for step in self.log:
            text = {"restart": "", "delta": text + step.data.get("text", "")}.get(step.event, text)
        return text

    def record(self) -> dict[str, Any]:
        """The turn as GET tells it."""
        done = next((step.data for step in self.log if step.event == "done"), {})
        error = next((step.data["error"] for step in self.log if step.event == "error"), None)
        return {
            "turn_id": self.turn_id,
            "session_id": self.session_id,
            "state": self.state,
            "lane": "interactive",
            "question": self.question,
            "answer": self.answer,
            "citations": done.get("citations", []),
            "created_at": "2026-01-05T10:00:00Z",
            **({"timeline": done["timeline"]} if done else {}),
            **({"error": error} if error else {}),
            **({"rating": self.rating} if self.rating else {}),
        }

    def summary(self) -> dict[str, Any]:
        """The turn as its session's history tells it."""
        wanted = ("turn_id", "question", "answer", "state", "created_at", "citations", "rating")
        return {name: value for name, value in self.record().items() if name in wanted}


TIMELINE = {
    "total_ms": 1840.0,
    "stages": [
        {"name": "admission", "start_ms": 0.0, "duration_ms": 6.4},
        {"name": "context", "start_ms": 6.4, "duration_ms": 113.6},
        {"name": "first_token", "start_ms": 120.0, "duration_ms": 520.0},
        {"name": "streaming", "start_ms": 640.0, "duration_ms": 1200.0},
    ],
}
STEPS = [
    {"name": "history", "start_ms": 0.0, "duration_ms": 12.0},
    {"name": "embedding", "start_ms": 0.0, "duration_ms": 40.0, "part_of": "knowledge"},
    {"name": "knowledge", "start_ms": 0.0, "duration_ms": 112.0, "critical": True},
]
"""Steps of the context, as a timeline carries them."""
CITATIONS = [
    {"id": "delivery-time", "title": "Delivery: times", "url": "https://shop.contoso.example/help/delivery"},
    {"id": "delivery-cost", "title": "Delivery: cost"},
]


def accepted(path: str = "direct") -> Send:
    """`accepted`; the server adds the ids."""
    return Send("accepted", {"lane": "interactive", "path": path, "deadline_at": "2026-01-05T10:01:30Z"})


def queued(place: int, seconds: float) -> Send:
    """`queued` with place and expected wait."""
    return Send("queued", {"place": place, "expected_wait_seconds": seconds})


def deltas(text: str, size: int = 7) -> list[Send]:
    """The text, cut into `delta` events without regard for words or marks."""
    return [Send("delta", {"text": text[at : at + size]}) for at in range(0, len(text), size)]


def done(**changes: Any) -> Send:
    """`done` with citations and a timeline."""
    data = {"state": "succeeded", "finish_reason": "stop", "citations": CITATIONS, "timeline": TIMELINE, **changes}
    return Send("done", data)


def error(code: str, **details: Any) -> Send:
    """`error` with this code."""
    return Send("error", {"error": {"code": code, "message": "Told by the server.", **details}})


def answer(text: str, **changes: Any) -> list[Send]:
    """A whole direct answer."""
    return [accepted(), *deltas(text), done(**changes)]
