"""The account of every call: what arrived, what became of it and when. Bounded and compact."""

import struct
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

OUTCOMES = (
    "succeeded",
    "quota_429",
    "capacity_429",
    "temporary_cut_429",
    "oversized_429",
    "server_error",
    "unavailable",
    "content_filter",
    "content_filter_completion",
    "cut",
    "stalled",
    "client_closed",
    "bad_request",
    "unauthorized",
    "not_found",
    "too_large",
    "internal_error",
    "stopped",
)
_RECORD = struct.Struct("<QddddIIIIHBBHB32s")
_NUMBER_OF = {outcome: number for number, outcome in enumerate(OUTCOMES)}
_NO_TIME = -1.0
_MOST_NAMES = 60_000


@dataclass(slots=True)
class Call:
    """One call while it runs. Times are monotonic seconds.

    Attributes:
        deployment: Key of the deployment, or what the caller asked for when there is none.
        estimate: Tokens charged at admission, 0 when it was not admitted.
        decided: When the quota, or a fault in its place, let it in or turned it away; None when it never got so far.
        asked_tokens: Prompt and the most that may be answered, whether admitted or not; 0 when it never got so far.
        output_tokens: Tokens that were really sent.
        status: Of the response, 0 when the caller left before there was one.
        question_sha256: Digest of the last user message's text, empty when it was not read.
    """

    arrived: float
    deployment: str = ""
    estimate: int = 0
    prompt_tokens: int = 0
    output_tokens: int = 0
    status: int = 0
    outcome: str = "succeeded"
    stream: bool = False
    first_token: float | None = None
    client_request_id: bytes = b""
    question_sha256: bytes = b""
    asked_tokens: int = 0
    decided: float | None = None


class Ledger:
    """Keeps the newest calls, each in about 200 bytes.

    Args:
        keep: How many finished calls are kept.
        wall_offset_seconds: What turns a monotonic time into a wall clock time.
    """

    def __init__(self, keep: int, wall_offset_seconds: float) -> None:
        self._kept: deque[bytes] = deque(maxlen=keep)
        self._wall_offset_seconds = wall_offset_seconds
        self._names: list[str] = []
        self._name_numbers: dict[str, int] = {}
        self.finished = 0

    def close(self, call: Call, ended: float) -> None:
        """Writes a call down; its number is the order in which calls ended, from 1."""
        self.finished += 1
        digest = call.question_sha256
        record = _RECORD.pack(
            self.finished,
            call.arrived,
            _NO_TIME if call.decided is None else call.decided,
            _NO_TIME if call.first_token is None else call.first_token,
            ended,
            min(call.estimate, 0xFFFFFFFF),
            min(call.prompt_tokens, 0xFFFFFFFF),
            min(call.output_tokens, 0xFFFFFFFF),
            min(call.asked_tokens, 0xFFFFFFFF),
            call.status,
            _NUMBER_OF[call.outcome],
            call.stream,
            self._name_number(call.deployment),
            bool(digest),
            digest,
        )
        self._kept.append(record + call.client_request_id[:128])

    def since(self, number: int, limit: int) -> list[dict[str, Any]]:
        """The calls that ended after call `number`, oldest first, at most `limit`."""
        return [self._show(record) for record in self._after(number, limit)]

    @property
    def forgotten(self) -> int:
        """How many calls are no longer kept."""
        return self.finished - len(self._kept)

    def _after(self, number: int, limit: int) -> Iterator[bytes]:
        start = max(0, number - self.forgotten)
        from_end = len(self._kept) - start
        if from_end <= 0:
            return
        if start <= from_end:
            walk = iter(self._kept)
            for _ in range(start):
                next(walk)
            for _ in range(min(limit, from_end)):
                yield next(walk)
            return
        tail = [record for record, _ in zip(reversed(self._kept), range(from_end), strict=False)]
        yield from tail[: -limit - 1 : -1]

    def _show(self, record: bytes) -> dict[str, Any]:
        fields = _RECORD.unpack_from(record)
        arrived, decided, first, ended = fields[1:5]
        account, _, deployment = self._names[fields[12]].partition("/")
        wall = self._wall_offset_seconds
        return {
            "number": fields[0],
            "arrived": arrived,
            "first_token": None if first == _NO_TIME else first,
            "ended": ended,
            "arrived_at": arrived + wall,
            "decided_at": None if decided == _NO_TIME else decided + wall,
            "first_token_at": None if first == _NO_TIME else first + wall,
            "ended_at": ended + wall,
            "deployment": deployment,
            "account": account,
            "estimate": fields[5],
            "prompt_tokens": fields[6],
            "output_tokens": fields[7],
            "asked_tokens": fields[8],
            "status": fields[9],
            "outcome": OUTCOMES[fields[10]],
            "stream": bool(fields[11]),
            "client_request_id": record[_RECORD.size :].decode("latin-1"),
            "question_sha256": fields[14].hex() if fields[13] else None,
        }

    def _name_number(self, name: str) -> int:
        """A small number for a name; made-up names beyond the bound share one entry."""
        if len(self._names) >= _MOST_NAMES and name not in self._name_numbers:
            name = "/(other)"
        number = self._name_numbers.get(name)
        if number is None:
            number = self._name_numbers[name] = len(self._names)
            self._names.append(name)
        return number
