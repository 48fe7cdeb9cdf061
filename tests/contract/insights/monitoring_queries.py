"""Monitoring queries as workbooks and alerts write them, each with the computation that must agree."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.contract.insights import expectations as expected
from tests.contract.insights.workload import Workload


@dataclass(frozen=True, slots=True)
class MonitoringQuery:
    """One query.

    Attributes:
        ordered: Whether the query itself fixes the order of its rows.
        dynamic_columns: Whether columns depend on the data, which the binder cannot know.
    """

    name: str
    text: str
    rows: Callable[[Workload], expected.Rows]
    ordered: bool = False
    dynamic_columns: bool = False


QUERIES = [
    MonitoringQuery(
        "throughput",
        """requests | where timestamp > ago(1h)
        | summarize Requests = sum(itemCount) by bin(timestamp, 1m), resultCode
        | order by timestamp asc, resultCode asc | render timechart""",
        expected.throughput,
        ordered=True,
    ),
    MonitoringQuery(
        "percentiles_by_operation",
        "requests | where timestamp > ago(24h) | summarize percentiles(duration, 50, 95, 99) by operation_Name",
        expected.percentiles_by_operation,
    ),
    MonitoringQuery(
        "percentiles_over_time",
        """requests | where timestamp > ago(24h) and name startswith "POST"
        | summarize p50 = percentile(duration, 50), p95 = percentile(duration, 95), mean = round(avg(duration), 1),
            n = count() by bin(timestamp, 1h), name
        | order by timestamp asc, name asc""",
        expected.percentiles_over_time,
        ordered=True,
    ),
    MonitoringQuery(
        "throttled_share",
        """dependencies | where timestamp > ago(24h) | where type startswith "GenAI"
        | extend deployment = tostring(customDimensions.deployment)
        | summarize total = count(), throttled = countif(resultCode == "429") by deployment
        | extend share = round(100.0 * throttled / total, 2)""",
        expected.throttled_share,
    ),
    MonitoringQuery(
        "wait_histogram",
        """requests | where timestamp > ago(24h)
        | extend wait = todouble(customMeasurements.queue_wait_ms) | where isnotnull(wait)
        | summarize n = count() by bucket = bin(wait, 50) | order by bucket asc
        | render columnchart with (title="Queue wait (ms)")""",
        expected.wait_histogram,
        ordered=True,
    ),
    MonitoringQuery(
        "first_token_by_model",
        """customMetrics | where name == "chat.time_to_first_token" and timestamp > ago(1d)
        | extend model = tostring(customDimensions["gen_ai.request.model"])
        | summarize mean = sum(valueSum) / sum(valueCount), worst = max(valueMax), n = sum(valueCount) by model""",
        expected.first_token_by_model,
    ),
    MonitoringQuery(
        "cost_by_tenant",
        """let prices = datatable(model: string, usdIn: real, usdOut: real)
        ["gpt-4o", 0.0025, 0.01, "gpt-4o-mini", 0.00015, 0.0006];
        customMetrics | where name == "gen_ai.client.token.usage" and timestamp > ago(7d)
        | extend tenant = tostring(customDimensions.tenant), model = tostring(customDimensions["gen_ai.request.model"]),
            direction = tostring(customDimensions["gen_ai.token.type"])
        | summarize tokens = sum(valueSum) by tenant, model, direction
        | join kind=leftouter prices on model
        | extend cost = iff(direction == "input", tokens * usdIn, tokens * usdOut) / 1000.0
        | summarize tokens = sum(tokens), cost = round(sum(coalesce(cost, 0.0)), 4) by tenant | order by cost desc""",
        expected.cost_by_tenant,
        ordered=True,
    ),
    MonitoringQuery(
        "burn_rates",
        """let slo = 0.99;
        let share = (w: timespan) {
            toscalar(requests | where timestamp > ago(w) | summarize 1.0 * countif(success == false) / count())
        };
        print recent = share(5m) / (1 - slo), lasting = share(1h) / (1 - slo)""",
        expected.burn_rates,
    ),
    MonitoringQuery(
        "burn_by_operation",
        """let slo = 0.99;
        requests | where timestamp > ago(1h)
        | summarize bad1h = countif(success == false), all1h = count(),
            bad5m = countif(success == false and timestamp > ago(5m)), all5m = countif(timestamp > ago(5m)) by name
        | extend burn1h = (todouble(bad1h) / all1h) / (1 - slo),
            burn5m = iff(all5m == 0, 0.0, (todouble(bad5m) / all5m) / (1 - slo))
        | project name, burn1h, burn5m, page = burn1h > 14.4 and burn5m > 14.4""",
        expected.burn_by_operation,
    ),
    MonitoringQuery(
        "waterfall",
        """requests | where timestamp > ago(24h) and name == "POST /api/chat"
        | project operation_Id, started = timestamp, total = duration
        | join kind=inner (dependencies | where timestamp > ago(25h)
            | project operation_Id, stage = name, at = timestamp, took = duration) on operation_Id
        | extend offset = (at - started) / 1ms
        | summarize offset = avg(offset), p95 = percentile(took, 95), share = avg(took / total), n = count() by stage
        | order by offset asc""",
        expected.waterfall,
        ordered=True,
    ),
    MonitoringQuery(
        "score_by_day",
        """customEvents | where name == "gen_ai.evaluation.result" and timestamp > ago(7d)
        | summarize score = avg(todouble(customMeasurements.score)), n = count()
            by bin(timestamp, 1d), variant = tostring(customDimensions.variant)
        | order by timestamp asc, variant asc""",
        expected.score_by_day,
        ordered=True,
    ),
    MonitoringQuery(
        "drift",
        """let scored = customEvents | extend variant = tostring(customDimensions.variant),
            score = todouble(customMeasurements.score);
        let recent = scored | where timestamp > ago(1d) | summarize recent = avg(score) by variant;
        let earlier = scored | where timestamp between (ago(2d) .. ago(1d))
            | summarize earlier = avg(score), spread = stdev(score) by variant;
        recent | join kind=inner earlier on variant
        | project variant, change = recent - earlier, z = (recent - earlier) / spread""",
        expected.drift,
    ),
    MonitoringQuery(
        "slowest",
        """requests | where timestamp > ago(24h) | top 10 by duration desc
        | project timestamp, name, duration, operation_Id, tenant = tostring(customDimensions.tenant)""",
        expected.slowest,
        ordered=True,
    ),
    MonitoringQuery(
        "series_by_code",
        """requests
        | make-series n = count() default = 0 on timestamp from ago(1d) to now() step 1h by resultCode
        | mv-expand timestamp to typeof(datetime), n to typeof(long) | project resultCode, timestamp, n""",
        expected.series_by_code,
    ),
    MonitoringQuery(
        "judged",
        """customEvents | where timestamp > ago(7d) | extend payload = parse_json(tostring(customDimensions.payload))
        | extend judge = tostring(payload.judge.model), score = todouble(payload.scores.coherence)
        | summarize mean = avg(score), n = count() by judge""",
        expected.judged,
    ),
    MonitoringQuery(
        "labels",
        """customEvents | extend labels = parse_json(tostring(customDimensions.labels))
        | mv-expand label = labels | summarize n = count() by label = tostring(label)
        | where isnotempty(label) | order by n desc""",
        expected.labels,
        ordered=True,
    ),
    MonitoringQuery(
        "users_by_day",
        """requests | summarize users = dcount(user_Id), tenants = dcount(tostring(customDimensions.tenant))
            by day = bin(timestamp, 1d)""",
        expected.users_by_day,
    ),
    MonitoringQuery(
        "latest_score",
        """customEvents | extend score = todouble(customMeasurements.score)
        | summarize arg_max(timestamp, score) by variant = tostring(customDimensions.variant)
        | project variant, seen = timestamp, score""",
        expected.latest_score,
    ),
    MonitoringQuery(
        "failures_with_exception",
        """requests | where success == false
        | join kind=leftouter (exceptions | summarize arg_max(timestamp, type) by operation_Id) on operation_Id
        | summarize n = count() by resultCode, exception = iff(isempty(type), "none", type) | order by n desc""",
        expected.failures_with_exception,
    ),
    MonitoringQuery(
        "volume_by_type",
        """union requests, dependencies | where timestamp > ago(1h)
        | summarize n = count(), p95 = percentile(duration, 95) by itemType, name""",
        expected.volume_by_type,
    ),
    MonitoringQuery(
        "speed_buckets",
        """requests | where timestamp > ago(1d)
        | extend bucket = case(duration < 500, "a <0.5s", duration < 1000, "b 0.5-1s", "c >1s")
        | summarize n = count() by bucket, outcome = iff(success, "ok", "fail")""",
        expected.speed_buckets,
    ),
    MonitoringQuery(
        "running_total",
        """requests | where timestamp > ago(1d) | summarize n = count() by bin(timestamp, 1h)
        | order by timestamp asc | serialize
        | extend delta = n - prev(n), total = row_cumsum(n), place = row_number()
        | project timestamp, n, delta, total, place""",
        expected.running_total,
        ordered=True,
    ),
    MonitoringQuery(
        "by_formatted_hour",
        """requests | summarize n = count() by hour = format_datetime(timestamp, "yyyy-MM-dd HH")""",
        expected.by_formatted_hour,
    ),
    MonitoringQuery(
        "workspace_requests",
        """AppRequests | where TimeGenerated > ago(1d)
        | summarize p95 = percentile(DurationMs, 95), failed = countif(Success == false), n = sum(ItemCount)
            by Name, deployment = tostring(Properties.deployment)""",
        expected.workspace_requests,
    ),
    MonitoringQuery(
        "workspace_metrics",
        """AppMetrics | where TimeGenerated > ago(1d) and Name == "chat.time_to_first_token"
        | summarize mean = sum(Sum) / sum(ItemCount), worst = max(Max)
            by model = tostring(Properties["gen_ai.request.model"])""",
        expected.workspace_metrics,
    ),
    MonitoringQuery(
        "warnings",
        """traces | where severityLevel >= 2 and message has_any ("timeout", "throttled")
        | summarize n = count(), earliest = min(timestamp), latest = max(timestamp) by severityLevel, operation_Name""",
        expected.warnings,
    ),
    MonitoringQuery(
        "retries",
        """traces | where message has "retry" | parse message with * "retry " attempt:int " of " most:int
        | summarize n = count() by attempt, most | order by attempt asc""",
        expected.retries,
        ordered=True,
    ),
    MonitoringQuery(
        "availability",
        """let grain = 1h;
        let chosen = dynamic(["POST /api/chat", "POST /api/openai/v1/chat/completions"]);
        requests | where timestamp >= datetime(2026-11-21T12:00:00Z) and timestamp < datetime(2026-11-22T12:00:00Z)
        | where '*' in ('*') or name in (chosen) | where name in (chosen)
        | summarize Requests = count(), Failed = countif(success == false) by bin(timestamp, grain)
        | extend availability = round(100.0 * (Requests - Failed) / Requests, 3) | order by timestamp asc""",
        expected.availability,
        ordered=True,
    ),
    MonitoringQuery(
        "slow_with_exception",
        """let base = materialize(requests | where timestamp > ago(1d) | project operation_Id, name, duration);
        let threshold = toscalar(base | summarize percentile(duration, 95));
        base | where duration > threshold
        | lookup kind=leftouter (exceptions | project operation_Id, failure = type) on operation_Id
        | summarize slow = count(), failed = countif(isnotempty(failure)), names = make_set(name)
        | extend operations = array_length(names) | project slow, failed, operations""",
        expected.slow_with_exception,
    ),
    MonitoringQuery(
        "shifted_bins",
        """requests | where timestamp > ago(1d)
        | summarize n = count() by bin_at(timestamp, 1h, datetime(2026-11-01T00:30:00Z)) | order by timestamp asc""",
        expected.shifted_bins,
        ordered=True,
    ),
    MonitoringQuery(
        "code_matrix",
        "requests | summarize n = count() by name, resultCode | evaluate pivot(resultCode, sum(n))",
        expected.code_matrix,
        dynamic_columns=True,
    ),
    MonitoringQuery(
        "unpacked_waits",
        """requests | where timestamp > ago(1d)
        | project model = tostring(customDimensions.model), customMeasurements
        | evaluate bag_unpack(customMeasurements)
        | summarize mean = avg(queue_wait_ms), worst = max(ttft_ms) by model""",
        expected.unpacked_waits,
        dynamic_columns=True,
    ),
    MonitoringQuery(
        "streaks",
        """requests | where timestamp > ago(1h) | extend tenant = tostring(customDimensions.tenant)
        | order by tenant asc, timestamp asc
        | extend place = row_number(1, tenant != prev(tenant)), total = row_cumsum(itemCount, tenant != prev(tenant)),
            following = next(resultCode, 1, "end")
        | project tenant, timestamp, place, total, following""",
        expected.streaks,
        ordered=True,
    ),
    MonitoringQuery(
        "chosen_columns",
        """requests | order by timestamp asc | take 5 | extend region = columnifexists("region", "absent")
        | project-keep timestamp, dur*, resultCode, region | project-reorder dur*, timestamp""",
        expected.chosen_columns,
        ordered=True,
    ),
]
