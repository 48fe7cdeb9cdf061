"""Asks Application Insights, or its local stand-in, whether an alert would fire."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from infra.alerts.table import Alert

SECONDS = 60.0


class AskError(Exception):
    """The service did not answer the query; the message says why."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What an alert's query found. It fires when there is anything."""

    alert: Alert
    rows: list[dict[str, Any]]

    @property
    def fires(self) -> bool:
        """Whether Azure would fire it."""
        return bool(self.rows)


def ask(url: str, alert: Alert, *, at: str | None = None) -> Findings:
    """Evaluates one alert.

    Args:
        url: Base address of the query API; for a local run the one of the local Application Insights.
        alert: Which.
        at: Evaluate as if it was this moment (ISO 8601); only the local stand-in can do that.

    Raises:
        AskError: No answer, or the query was refused.
    """
    request = urllib.request.Request(  # noqa: S310  the address is the caller's own
        f"{url.rstrip('/')}/v1/apps/local/query",
        data=json.dumps({"query": alert.query}).encode(),
        headers={"Content-Type": "application/json", **({"x-sim-now": at} if at else {})},
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310  as above
            table = json.load(answer)["tables"][0]
    except urllib.error.HTTPError as fault:
        raise AskError(f"{alert.name}: {fault.code}: {fault.read(2000).decode(errors='replace')}") from fault
    except OSError as fault:
        raise AskError(f"{alert.name}: {url} does not answer: {fault}") from fault
    columns = [column["name"] for column in table["columns"]]
    return Findings(alert, [dict(zip(columns, row, strict=True)) for row in table["rows"]])
