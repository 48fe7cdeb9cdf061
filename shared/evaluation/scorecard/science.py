"""The third part: numbers with errors, distributions, agreement with people, and every item."""

from shared.evaluation.metrics import Kind, Metric, measure
from shared.evaluation.records import Score, State
from shared.evaluation.scorecard.markup import Html, join, table, tag
from shared.evaluation.scorecard.report import Report
from shared.evaluation.scorecard.terms import STATISTICS, explain
from shared.evaluation.trust import Agreement
from shared.evaluation.verdict import number, percent

# A browser stays usable up to about this many rows per evaluator.
_SHOWN_ITEMS = 2_000


def science_section(report: Report) -> Html:
    """The section for those who check the evidence."""
    return tag(
        "section",
        tag("h2", "Evidence"),
        tag("h3", "Measures"),
        tag("p", f"Datasets: {', '.join(report.datasets) or 'not stated'}.", class_="note"),
        _measures(report),
        tag("h3", "Distributions"),
        *(_distribution(report, name) for name in report.evaluators),
        tag("h3", "Can the judges be trusted?"),
        tag("p", STATISTICS["kappa"], class_="note"),
        _agreements(report),
        tag("h3", "Every item with its evidence"),
        *(_items(report, name) for name in report.evaluators),
        id="science",
    )


def _measures(report: Report) -> Html:
    rows = []
    for name in report.evaluators:
        estimate = measure(Metric(name, name, Kind.MEAN, 1), report.scores)
        states = report.states(name)
        cost = sum(score.cost_usd for score in report.scores if score.evaluator == name)
        low, high = estimate.interval
        rows.append(
            [
                join(name, tag("small", explain(name))),
                "" if estimate.value is None else number(estimate.value),
                number(estimate.standard_error),
                "" if estimate.value is None else f"{number(low)} to {number(high)}",
                estimate.method,
                *(str(states[state]) for state in State),
                f"{cost:.4f}",
            ]
        )
    head = ["Evaluator", "Mean", "Standard error", "95 % interval", "Method", *State, "Judge cost (US dollars)"]
    notes = tag("p", f"{STATISTICS['judge error']} {STATISTICS['skipped']}", class_="note")
    return join(notes, table("Mean of every evaluator", head, rows))


def _distribution(report: Report, name: str) -> Html:
    bins = report.distribution(name)
    total = sum(count for _, count in bins)
    if not total:
        return Html("")
    rows = [[label, str(count), _meter(count / total)] for label, count in bins]
    return table(f"Distribution of {name}", ["Value", "Count", "Share"], rows)


def _meter(share: float) -> Html:
    rail = tag("rect", x="0", y="4", width=f"{200 * share:.1f}", height="12", class_="span")
    return tag("svg", tag("title", percent(share)), rail, viewBox="0 0 200 20", class_="bar", role="img",
               aria_label=percent(share))  # fmt: skip


def _agreements(report: Report) -> Html:
    if not report.agreements:
        return tag("p", "The judges of this run were not compared with human labels.")
    rows = [_agreement(name, found) for name, found in report.agreements.items()]
    head = ["Judge of", "Agreement", "Range", "Kappa", "Range", "Compared", "Judge errors", "Human → judge"]
    return table("Agreement with human labels", head, rows)


def _agreement(name: str, found: Agreement) -> list[str]:
    low, high = found.accuracy_interval
    cells = sorted(found.confusion.items())
    return [
        name,
        percent(found.accuracy),
        f"{percent(low)} to {percent(high)}",
        f"{found.kappa.value:.2f}",
        f"{found.kappa.interval.low:.2f} to {found.kappa.interval.high:.2f}",
        str(found.sampled),
        str(found.judge_errors),
        ", ".join(f"{human} → {judged}: {count}" for (human, judged), count in cells),
    ]


def _items(report: Report, name: str) -> Html:
    mine = [score for score in report.scores if score.evaluator == name]
    versions = ", ".join(sorted({score.version for score in mine}))
    rows = [_item(score) for score in sorted(mine, key=lambda score: score.passed is True)[:_SHOWN_ITEMS]]
    left_out = len(mine) - len(rows)
    more = f"; the first {len(rows)} are shown, failed ones first, all are in the JSON file" if left_out else ""
    head = ["Item", "Result", "Question", "Answer", "Expected", "Reason", "Tokens", "Cost"]
    summary = tag("summary", f"{name}: {len(mine)} items, version {versions}{more}")
    return tag("details", summary, table(f"Every item of {name}", head, rows))


def _item(score: Score) -> list[str]:
    value = score.state.value if score.value is None else number(score.value)
    passed = {True: "passed", False: "failed", None: ""}[score.passed]
    return [
        score.item_id,
        " ".join(part for part in (value, score.label, passed) if part),
        score.question,
        score.answer,
        score.reference,
        score.reason,
        f"{score.input_tokens}+{score.output_tokens}",
        f"{score.cost_usd:.5f}",
    ]
