"""What each monitoring query must answer, computed from the workload in plain Python."""

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from tests.contract.insights.workload import NOW, Request, Workload

Item = TypeVar("Item")
Rows = list[list[Any]]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=NOW.tzinfo)
PRICES = {"gpt-4o": (0.0025, 0.01), "gpt-4o-mini": (0.00015, 0.0006)}


def text(moment: datetime) -> str:
    """A moment as the query API writes it."""
    plain = moment.replace(tzinfo=None).isoformat()
    return (plain.rstrip("0") if "." in plain else plain) + "Z"


def floor(moment: datetime, step: timedelta) -> datetime:
    return EPOCH + (moment - EPOCH) // step * step


def groups(items: Iterable[Item], key: Callable[[Item], Hashable]) -> dict[Any, list[Item]]:
    found: dict[Any, list[Item]] = defaultdict(list)
    for item in items:
        found[key(item)].append(item)
    return dict(sorted(found.items()))


def nearest_rank(values: Iterable[float], level: float) -> float:
    ordered = sorted(values)
    return ordered[max(1, math.ceil(level / 100 * len(ordered))) - 1]


def since(items: Iterable[Any], span: timedelta) -> list[Any]:
    return [item for item in items if item.at > NOW - span]


def mean(values: Iterable[float]) -> float:
    return statistics.fmean(values)


def throughput(work: Workload) -> Rows:
    found = groups(since(work.requests, HOUR), lambda r: (floor(r.at, timedelta(minutes=1)), r.code))
    return [[text(at), code, sum(r.count for r in rows)] for (at, code), rows in found.items()]


def percentiles_by_operation(work: Workload) -> Rows:
    found = groups(since(work.requests, DAY), lambda r: r.name)
    return [
        [name, *(nearest_rank([r.duration for r in rows], p) for p in (50, 95, 99))] for name, rows in found.items()
    ]


def percentiles_over_time(work: Workload) -> Rows:
    wanted = [r for r in since(work.requests, DAY) if r.name.startswith("POST")]
    found = groups(wanted, lambda r: (floor(r.at, HOUR), r.name))
    rows = []
    for (at, name), turns in found.items():
        times = [r.duration for r in turns]
        average = math.floor(mean(times) * 10 + 0.5) / 10
        rows.append([text(at), name, nearest_rank(times, 50), nearest_rank(times, 95), average, len(turns)])
    return sorted(rows, key=lambda row: (row[0], row[1]), reverse=False)


def throttled_share(work: Workload) -> Rows:
    wanted = [d for d in since(work.dependencies, DAY) if d.kind.startswith("GenAI")]
    rows = []
    for deployment, calls in groups(wanted, lambda d: d.deployment).items():
        throttled = sum(d.code == "429" for d in calls)
        rows.append([deployment, len(calls), throttled, round(100.0 * throttled / len(calls), 2)])
    return rows


def wait_histogram(work: Workload) -> Rows:
    found = groups(since(work.requests, DAY), lambda r: math.floor(r.wait / 50) * 50.0)
    return [[bucket, len(rows)] for bucket, rows in found.items()]


def first_token_by_model(work: Workload) -> Rows:
    wanted = [m for m in since(work.metrics, DAY) if m.name == "chat.time_to_first_token"]
    rows = []
    for model, points in groups(wanted, lambda m: m.dimensions["gen_ai.request.model"]).items():
        count = sum(m.count for m in points)
        rows.append([model, math.fsum(m.total for m in points) / count, max(m.most for m in points), count])
    return rows


def cost_by_tenant(work: Workload) -> Rows:
    wanted = [m for m in work.metrics if m.name == "gen_ai.client.token.usage"]
    rows = []
    for tenant, points in groups(wanted, lambda m: m.dimensions["tenant"]).items():
        cost = 0.0
        for point in points:
            dear, cheap = PRICES[point.dimensions["gen_ai.request.model"]]
            cost += point.total * (dear if point.dimensions["gen_ai.token.type"] == "input" else cheap) / 1000
        rows.append([tenant, math.fsum(m.total for m in points), round(cost, 4)])
    return sorted(rows, key=lambda row: -row[2])


def _bad_share(turns: list[Request]) -> float:
    return sum(not r.ok for r in turns) / len(turns)


def burn_rates(work: Workload) -> Rows:
    budget = 1 - 0.99
    return [[_bad_share(since(work.requests, span)) / budget for span in (timedelta(minutes=5), HOUR)]]


def burn_by_operation(work: Workload) -> Rows:
    rows = []
    for name, turns in groups(since(work.requests, HOUR), lambda r: r.name).items():
        recent = [r for r in turns if r.at > NOW - timedelta(minutes=5)]
        long, short = _bad_share(turns) / 0.01, (_bad_share(recent) / 0.01 if recent else 0.0)
        rows.append([name, long, short, long > 14.4 and short > 14.4])
    return rows


def waterfall(work: Workload) -> Rows:
    turns = {r.trace: r for r in since(work.requests, DAY) if r.name == "POST /api/chat"}
    found = groups((d for d in work.dependencies if d.trace in turns), lambda d: d.name)
    rows = []
    for stage, calls in found.items():
        offsets = [(d.at - turns[d.trace].at) / timedelta(milliseconds=1) for d in calls]
        shares = [d.duration / turns[d.trace].duration for d in calls]
        rows.append([stage, mean(offsets), nearest_rank([d.duration for d in calls], 95), mean(shares), len(calls)])
    return sorted(rows, key=lambda row: row[1])


def score_by_day(work: Workload) -> Rows:
    found = groups(work.events, lambda e: (floor(e.at, DAY), e.variant))
    return [[text(at), variant, mean(e.score for e in rows), len(rows)] for (at, variant), rows in found.items()]


def drift(work: Workload) -> Rows:
    rows = []
    for variant, results in groups(work.events, lambda e: e.variant).items():
        recent = [e.score for e in results if e.at > NOW - DAY]
        earlier = [e.score for e in results if NOW - 2 * DAY <= e.at <= NOW - DAY]
        change = mean(recent) - mean(earlier)
        rows.append([variant, change, change / statistics.stdev(earlier)])
    return rows


def slowest(work: Workload) -> Rows:
    found = sorted(since(work.requests, DAY), key=lambda r: -r.duration)[:10]
    return [[text(r.at), r.name, r.duration, r.trace, r.tenant] for r in found]


def series_by_code(work: Workload) -> Rows:
    rows = []
    for code in sorted({r.code for r in work.requests if NOW - DAY <= r.at < NOW}):
        for hour in range(24):
            start = NOW - DAY + hour * HOUR
            rows.append(
                [code, text(start), sum(r.code == code and start <= r.at < start + HOUR for r in work.requests)]
            )
    return rows


def judged(work: Workload) -> Rows:
    found = groups(work.events, lambda e: e.judge)
    return [[judge, mean(e.score for e in rows), len(rows)] for judge, rows in found.items()]


def labels(work: Workload) -> Rows:
    found = groups([label for event in work.events for label in event.labels], str)
    return sorted(([label, len(rows)] for label, rows in found.items()), key=lambda row: -row[1])


def users_by_day(work: Workload) -> Rows:
    found = groups(work.requests, lambda r: floor(r.at, DAY))
    return [[text(at), len({r.user for r in rows}), len({r.tenant for r in rows})] for at, rows in found.items()]


def latest_score(work: Workload) -> Rows:
    rows = []
    for variant, results in groups(work.events, lambda e: e.variant).items():
        last = max(results, key=lambda e: e.at)
        rows.append([variant, text(last.at), last.score])
    return rows


def failures_with_exception(work: Workload) -> Rows:
    kinds = {f.trace: f.kind for f in work.failures}
    found = groups((r for r in work.requests if not r.ok), lambda r: (r.code, kinds.get(r.trace, "none")))
    return sorted(([code, kind, len(rows)] for (code, kind), rows in found.items()), key=lambda row: -row[2])


def volume_by_type(work: Workload) -> Rows:
    rows = []
    for kind, items in (("dependency", work.dependencies), ("request", work.requests)):
        for name, found in groups(since(items, HOUR), lambda item: item.name).items():
            rows.append([kind, name, len(found), nearest_rank([item.duration for item in found], 95)])
    return rows


def speed_buckets(work: Workload) -> Rows:
    def bucket(r: Request) -> str:
        return "a <0.5s" if r.duration < 500 else "b 0.5-1s" if r.duration < 1000 else "c >1s"

    found = groups(since(work.requests, DAY), lambda r: (bucket(r), "ok" if r.ok else "fail"))
    return [[*key, len(rows)] for key, rows in found.items()]


def running_total(work: Workload) -> Rows:
    rows: Rows = []
    for number, (at, turns) in enumerate(groups(since(work.requests, DAY), lambda r: floor(r.at, HOUR)).items(), 1):
        total = (rows[-1][3] if rows else 0) + len(turns)
        rows.append([text(at), len(turns), len(turns) - rows[-1][1] if rows else None, total, number])
    return rows


def by_formatted_hour(work: Workload) -> Rows:
    found = groups(work.requests, lambda r: r.at.strftime("%Y-%m-%d %H"))
    return [[hour, len(rows)] for hour, rows in found.items()]


def workspace_requests(work: Workload) -> Rows:
    found = groups(since(work.requests, DAY), lambda r: (r.name, r.deployment))
    return [
        [*key, nearest_rank([r.duration for r in rows], 95), sum(not r.ok for r in rows), sum(r.count for r in rows)]
        for key, rows in found.items()
    ]


def workspace_metrics(work: Workload) -> Rows:
    return [row[:3] for row in first_token_by_model(work)]


def warnings(work: Workload) -> Rows:
    wanted = [
        log for log in work.logs if log.severity >= 2 and ("timeout" in log.message or "throttled" in log.message)
    ]
    found = groups(wanted, lambda log: (log.severity, log.operation))
    return [
        [*key, len(rows), text(min(log.at for log in rows)), text(max(log.at for log in rows))]
        for key, rows in found.items()
    ]


def retries(work: Workload) -> Rows:
    found = groups((log for log in work.logs if "retry" in log.message), lambda log: log.attempt)
    return [[attempt, 3, len(rows)] for attempt, rows in found.items()]


def availability(work: Workload) -> Rows:
    wanted = [r for r in work.requests if NOW - DAY <= r.at < NOW and r.name != "GET /api/health/live"]
    rows = []
    for at, turns in groups(wanted, lambda r: floor(r.at, HOUR)).items():
        failed = sum(not r.ok for r in turns)
        rows.append([text(at), len(turns), failed, round(100.0 * (len(turns) - failed) / len(turns), 3)])
    return rows


def slow_with_exception(work: Workload) -> Rows:
    turns = since(work.requests, DAY)
    slow = [r for r in turns if r.duration > nearest_rank([x.duration for x in turns], 95)]
    traces = {f.trace for f in work.failures}
    return [[len(slow), sum(r.trace in traces for r in slow), len({r.name for r in slow})]]


def shifted_bins(work: Workload) -> Rows:
    half = HOUR / 2
    found = groups(since(work.requests, DAY), lambda r: floor(r.at - half, HOUR) + half)
    return [[text(at), len(rows)] for at, rows in found.items()]


def code_matrix(work: Workload) -> Rows:
    codes = sorted({r.code for r in work.requests})
    found = groups(work.requests, lambda r: r.name)
    return [[name, *(sum(r.code == code for r in rows) for code in codes)] for name, rows in found.items()]


def unpacked_waits(work: Workload) -> Rows:
    found = groups(since(work.requests, DAY), lambda r: r.model)
    return [[model, mean(r.wait for r in rows), max(r.first_token for r in rows)] for model, rows in found.items()]


def streaks(work: Workload) -> Rows:
    rows = []
    place = total = 0
    turns = sorted(since(work.requests, HOUR), key=lambda r: (r.tenant, r.at))
    for index, r in enumerate(turns):
        new = index == 0 or turns[index - 1].tenant != r.tenant
        place, total = (1, r.count) if new else (place + 1, total + r.count)
        following = turns[index + 1].code if index + 1 < len(turns) else "end"
        rows.append([r.tenant, text(r.at), place, total, following])
    return rows


def chosen_columns(work: Workload) -> Rows:
    return [[r.duration, text(r.at), r.code, "absent"] for r in sorted(work.requests, key=lambda r: r.at)[:5]]
