"""The evaluation routes of an installation, as a client sees them."""

import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from shared.evaluation.gates import Gate
from shared.evaluation.records import Item, Score
from shared.evaluation.store import score_from_json

ITEMS_IN_A_BATCH = 200
SCORES_IN_A_PAGE = 1000
POLL_SECONDS = 1.0
TIMEOUT_SECONDS = 120.0


class InstallationError(Exception):
    """The installation refused a request. The message is its own."""


@dataclass(frozen=True, slots=True)
class Installation:
    """One installation, reached with an operator's key."""

    http: httpx2.Client

    def start(self, request: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Starts a run; many items go in batches."""
        batches = [items[begin : begin + ITEMS_IN_A_BATCH] for begin in range(0, len(items), ITEMS_IN_A_BATCH)]
        if len(batches) <= 1:
            first = {"items": list(items)} if items else {}
            return self._call("POST", "/api/evaluations", json={**request, **first})
        run = self._call("POST", "/api/evaluations", json={**request, "complete": False})
        for number, batch in enumerate(batches, start=1):
            body = {"items": list(batch), "complete": number == len(batches)}
            run = self._call("POST", f"/api/evaluations/{run['evaluation_id']}/items", json=body)
        return run

    def follow(self, run_id: str, on_progress: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        """Waits until a run is over; tells of its progress meanwhile."""
        while True:
            run = self.status(run_id)
            on_progress(run)
            if run["state"] in {"finished", "stopped", "cancelled"}:
                return run
            time.sleep(POLL_SECONDS)

    def status(self, run_id: str) -> dict[str, Any]:
        """A run as it stands, without its report."""
        return self._call("GET", f"/api/evaluations/{run_id}", params={"report": "false"})

    def report(self, run_id: str) -> dict[str, Any]:
        """A run with its report."""
        return self._call("GET", f"/api/evaluations/{run_id}")

    def cancel(self, run_id: str) -> None:
        """Cancels a run."""
        self._call("DELETE", f"/api/evaluations/{run_id}")

    def scores(self, run_id: str) -> list[Score]:
        """All scores of a run, by item and evaluator."""
        found = [score_from_json(row) for page in self._pages(run_id) for row in page]
        return sorted(found, key=lambda score: (score.item_id, score.evaluator))

    def _pages(self, run_id: str) -> Iterator[list[dict[str, Any]]]:
        after: str | None = ""
        while after is not None:
            params: dict[str, str | int] = {"after": after, "limit": SCORES_IN_A_PAGE}
            page = self._call("GET", f"/api/evaluations/{run_id}/scores", params=params)
            yield page["scores"]
            after = page.get("after")

    def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            reply = self.http.request(method, path, timeout=TIMEOUT_SECONDS, **options)
        except httpx2.HTTPError as fault:
            raise InstallationError(f"{self.http.base_url} cannot be reached: {fault}") from fault
        if reply.status_code >= 400:
            raise InstallationError(f"{method} {path}: {reply.status_code} {reply.text[:500]}")
        body: dict[str, Any] = reply.json()
        return body


@contextmanager
def installation(url: str, key: str) -> Iterator[Installation]:
    """The installation at an address."""
    with httpx2.Client(base_url=url, headers={"x-functions-key": key}) as http:
        yield Installation(http)


def item_json(item: Item) -> dict[str, Any]:
    """An item in the form of the API; what is not given is left out."""
    body: dict[str, Any] = {
        "id": item.item_id,
        "question": item.question,
        "reference": item.reference,
        "context": list(item.context),
        "sources": list(item.expected_sources),
        "target": item.target,
        "tags": list(item.tags),
        "metadata": dict(item.metadata),
    }
    return {name: value for name, value in body.items() if value}


def labelled_json(item: Item) -> dict[str, Any]:
    """An item whose answer is there already and was labelled by people: the columns `answer` and `target`."""
    metadata = dict(item.metadata)
    answer = str(metadata.pop("answer", ""))
    return {**item_json(dataclasses.replace(item, metadata=metadata)), "answer": answer}


def gate_json(gate: Gate) -> dict[str, Any]:
    """A gate in the form of the API."""
    body: dict[str, Any] = {
        "name": gate.name,
        "evaluator": gate.evaluator,
        "statistic": gate.statistic.value,
        "strictness": gate.strictness.value,
        "at_least": gate.at_least,
        "at_most": gate.at_most,
        "minimum_scored": gate.minimum_scored,
        "max_judge_error_rate": gate.max_judge_error_rate,
        "tags": list(gate.tags),
        "tag_minimum_scored": gate.tag_minimum_scored,
        "tag_slack": gate.tag_slack,
        "regression": gate.regression,
        "regression_forbids": gate.regression_forbids,
        "about": gate.about,
    }
    return {name: value for name, value in body.items() if value is not None}
