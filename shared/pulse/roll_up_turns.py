"""Turns by the minute in which they were accepted: counts and tokens to bill by, in the container `metrics`.

A minute is always summed up whole, from the turns themselves, so doing it again, late or twice changes nothing.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shared.errors import Unavailable
from shared.evaluating.ports import MetricsStore
from shared.ports import Clock
from shared.pulse.ports import EndedTurn, TurnRecords
from shared.turns import State, Usage

MINUTE_SECONDS = 60
KIND = "turns"
PLACE_DAY, PLACE_ID = "current", "turn-roll-up"
OVERLAP_SECONDS = 120.0
"""Changes from so long before the last time are looked at again: clocks differ, and reads can lag behind writes."""
MARGIN_SECONDS = 600.0
KEPT_SECONDS = 400 * 86_400
TRIES = 5
NAMES = ("tenant", "model", "lane", "path", "deployment")
COUNTS = (
    "turns",
    *(state.value for state in State if state.terminal),
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "reasoning_tokens",
)

Row = dict[str, Any]


class TurnRollUp:
    """Sums up the minutes in which something ended."""

    def __init__(
        self,
        *,
        records: TurnRecords,
        metrics: MetricsStore,
        clock: Clock,
        default_model: str,
        turn_ttl_seconds: float,
    ) -> None:
        """Takes what it works with; turns younger than their time to live are all still there to be counted."""
        self._records, self._metrics, self._clock = records, metrics, clock
        self._default_model, self._turn_ttl_seconds = default_model, turn_ttl_seconds

    async def roll_up(self) -> int:
        """Sums up what changed since the last time; how many minutes that were.

        Raises:
            Unavailable: The store does not answer, or others were quicker every time; the next time does it.
        """
        now = self._clock.now()
        complete_since = now - self._turn_ttl_seconds + min(MARGIN_SECONDS, self._turn_ttl_seconds / 2)
        place = await self._metrics.get(PLACE_DAY, PLACE_ID)
        since = complete_since if place is None else place["at"] - OVERLAP_SECONDS
        changed = await self._records.minutes_ended_since(since)
        # Of an older minute some turns may be gone from the store; what was summed up of it stays.
        minutes = sorted(minute for minute in changed if minute * MINUTE_SECONDS > complete_since)
        for minute in minutes:
            await self._sum_up(minute)
        await self._metrics.put({"id": PLACE_ID, "day": PLACE_DAY, "kind": "place", "at": now})
        return len(minutes)

    async def _sum_up(self, minute: int) -> None:
        written = written_minute(minute)
        for _ in range(TRIES):
            known = await self._metrics.get(written[:10], document_id(minute))
            rows = summed(await self._records.ended_within(minute), self._default_model)
            document = {
                "id": document_id(minute),
                "day": written[:10],
                "kind": KIND,
                "minute": written,
                "rows": rows,
                "ttl": KEPT_SECONDS,
            }
            if known is not None:
                document["rows"] = grown(known["rows"], rows)
                document["_etag"] = known["_etag"]
                if document["rows"] == known["rows"]:
                    return
            if await self._metrics.replace_or_create(document):
                return
        raise Unavailable(f"The sums of {written} were changed by others {TRIES} times.")


def written_minute(minute: int) -> str:
    """A minute since 1970 as it is written in the store; its first ten characters are the day."""
    return time.strftime("%Y-%m-%dT%H:%M", time.gmtime(minute * MINUTE_SECONDS))


def document_id(minute: int) -> str:
    """The store id of a minute's sums."""
    return f"turns-{written_minute(minute)}"


def summed(turns: Iterable[EndedTurn], default_model: str) -> list[Row]:
    """One row for each tenant, model, lane, path and deployment, in their order."""
    rows: dict[tuple[str, ...], Row] = {}
    for turn in turns:
        key = (turn.tenant, turn.model or default_model, turn.lane, turn.path, turn.deployment or "")
        row = rows.setdefault(key, dict(zip(NAMES, key, strict=True)) | dict.fromkeys(COUNTS, 0))
        row["turns"] += 1
        row[turn.state] += 1
        for name, count in (turn.usage or Usage()).as_dict().items():
            if name in row:
                row[name] += count
    return [rows[key] for key in sorted(rows)]


def grown(known: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """The greater of two sums, count by count: what is over stays so, thus the smaller one was read too early."""
    merged: dict[tuple[Any, ...], Row] = {}
    for row in (*known, *rows):
        into = merged.setdefault(tuple(row[name] for name in NAMES), {name: row[name] for name in NAMES})
        for name in COUNTS:
            into[name] = max(into.get(name, 0), row.get(name, 0))
    return [merged[key] for key in sorted(merged)]
