"""A simulated result as a person reads it."""

from typing import Any

from bench.lab.report import markdown
from bench.simulation.tally import LANES

ROWS = (
    ("turns asked", "turns.asked", "{:,.0f}"),
    ("answered", "turns.answered", "{:,.0f}"),
    ("refused at the door", "turns.refused", "{:,.0f}"),
    ("expired", "turns.expired", "{:,.0f}"),
    ("still waiting when the run ended", "turns.waiting", "{:,.0f}"),
    ("answered on the direct path", "turns.direct_share", "{:.1%}"),
    ("quota used over the whole run", "utilisation.whole_run", "{:.1%}"),
    ("quota used while there is backlog", "utilisation.under_backlog", "{:.1%}"),
    ("worst minute over quota by", "max_window_overshoot", "{:.2%}"),
    ("calls answered 429", "share_429", "{:.2%}"),
    ("calls per answer", "calls_per_answer", "{:.4f}"),
    ("fairness of tenants under backlog (Jain)", "fairness", "{:.3f}"),
    *((f"{lane} wait p50, s", f"wait_s.{lane}.p50", "{:.2f}") for lane in LANES),
    *((f"{lane} wait p95, s", f"wait_s.{lane}.p95", "{:.2f}") for lane in LANES),
    ("ledger reads, a million turns", "per_million.ledger_reads", "{:,.0f}"),
    ("ledger writes, a million turns", "per_million.ledger_writes", "{:,.0f}"),
    ("ledger conflicts, a million turns", "per_million.ledger_conflicts", "{:,.0f}"),
    ("given up after conflicts: account", "ledger.account.given_up", "{:,.0f}"),
    ("given up after conflicts: line", "ledger.line.given_up", "{:,.0f}"),
    ("longest throttled, s", "ledger.most_throttled_seconds", "{:.2f}"),
    ("Service Bus operations of lanes, a million turns", "per_million.lane_operations", "{:,.0f}"),
    ("Service Bus operations of the relay, a million turns", "per_million.relay_operations", "{:,.0f}"),
    ("request units of the ledger, a million turns", "per_million.ledger_request_units", "{:,.0f}"),
    ("request units in all, a million turns", "per_million.request_units", "{:,.0f}"),
)


def text(result: dict[str, Any]) -> str:
    """The whole report as Markdown."""
    lines = ["# Simulation of the fleet in virtual time", "", _conditions(result), ""]
    if result["runs"]:
        lines += [*_runs(result["runs"]), "", *_costs(result["runs"]), ""]
    if result.get("contention"):
        lines += [*_contention(result["contention"]), ""]
    if result.get("against"):
        lines += [*_against(result["against"]), ""]
    return "\n".join(lines).rstrip() + "\n"


def _conditions(result: dict[str, Any]) -> str:
    machine = result["machine"]
    return (
        f"Seed {result['seed']}, network `{result['network']}` of `bench/simulation/assumed.toml`. "
        f"{machine['cores']} cores of {machine['processor']}, {machine['memory_gib']} GiB, Python {machine['python']}, "
        f"load average {machine['load_average_at_start']} at the start, commit {machine['commit']}, {machine['at']}. "
        "Nothing here was measured on Azure; what is the app's own code and what is a model is in docs/scale.md."
    )


def _find(figures: dict[str, Any], path: str) -> Any:
    value: Any = figures
    for name in path.split("."):
        value = None if value is None else value.get(name)
    return value


def _runs(runs: list[dict[str, Any]]) -> list[str]:
    table = [["", *(run["name"] for run in runs)]]
    for title, name in (
        ("instances", "instances"),
        ("pools (played), deployments", "pools"),
        ("turns a minute at most", "turns_per_minute"),
        ("simulated; took real, processor seconds", "took"),
    ):
        table.append([title, *(str(run["conditions"][name]) for run in runs)])
    for title, path, form in ROWS:
        values = [_find(run["figures"], path) for run in runs]
        if any(value is not None for value in values):
            table.append([title, *("" if value is None else form.format(value) for value in values)])
    return markdown(table)


def _costs(runs: list[dict[str, Any]]) -> list[str]:
    names = list(runs[0]["cost_per_million"])
    table = [["cost of a million turns", *(run["name"] for run in runs)]]
    table += [[name, *(f"{run['cost_per_million'][name]:,.2f}" for run in runs)] for name in names]
    table.append(["in all", *(f"{sum(run['cost_per_million'].values()):,.2f}" for run in runs)])
    prices = (
        "Prices are those of `infra/sizing.json`: of the size of Azure's list prices in US dollars, written down from "
        "memory and not read from a price list. Cosmos DB as serverless."
    )
    return [prices, "", *markdown(table)]


def _contention(rows: list[dict[str, Any]]) -> list[str]:
    table = [["50,000 turns a minute on 5 deployments, instances", "conflicts a turn", "RU of the ledger a turn"]]
    table[0] += ["operations given up", "interactive wait p95, s"]
    table += [
        [
            f"{row['instances']:,}{' as proposed' if row['reads_first'] else ''}",
            f"{row['conflicts_per_turn']:,.2f}",
            f"{row['ledger_request_units_per_turn']:,.1f}",
            f"{row['given_up']:,}",
            f"{row['wait_interactive_p95']:.3f}",
        ]
        for row in rows
    ]
    return markdown(table)


def _against(found: dict[str, Any]) -> list[str]:
    table = [["the surge at small scale", "real stack", "simulated", "deviation"]]
    for name, real in found["real"].items():
        simulated = found["simulated"][name]
        far = "" if not real or simulated is None else f"{simulated / real - 1:+.0%}"
        table.append([name.replace("_", " "), f"{real:,}", "" if simulated is None else f"{simulated:,}", far])
    table.append(
        ["goodput of the last minute, mean distance of the curves", "", "", f"{found['goodput_deviation']:.0%}"]
    )
    table.append(["turns waiting, mean distance of the curves", "", "", f"{found['backlog_deviation']:.0%}"])
    title = (
        f"Held against `bench/results/surge.json` (commit {found['real_commit']}, {found['real_at']}), the same "
        f"{found['turns']:,} turns at the same moments, two instances:"
    )
    return [title, "", *markdown(table)]
