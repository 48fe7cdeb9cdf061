"""The second part: topics, examples and the change since the last run."""

from shared.evaluation.records import Score
from shared.evaluation.scorecard.markup import Html, interval_bar, join, table, tag
from shared.evaluation.scorecard.report import Report
from shared.evaluation.scorecard.terms import STATISTICS, explain
from shared.evaluation.stats.proportion import wilson
from shared.evaluation.verdict import GateResult, Status, number, percent

_WORDS = {Status.PASSED: "met", Status.FAILED: "missed", Status.UNDECIDED: "not decided"}


def product_section(report: Report) -> Html:
    """The section for those who shape the product."""
    return tag(
        "section",
        tag("h2", "Demands and results"),
        tag("p", STATISTICS["interval"], class_="note"),
        _gates(report),
        tag("h2", "By topic and intent"),
        _topics(report),
        tag("h2", "Against the last run"),
        _comparisons(report),
        tag("h2", "Answers that failed"),
        _examples(report.examples(good=False)),
        tag("h2", "Answers that passed"),
        _examples(report.examples(good=True)),
        aria_label="For product managers",
        id="product",
    )


def _gates(report: Report) -> Html:
    rows = [_gate(result) for result in report.verdict.results]
    return table("Every demand with its result", ["Demand", "Result", "Range", "Demanded", "Status", "Answers"], rows)


def _gate(result: GateResult) -> list[str]:
    gate, estimate = result.gate, result.estimate
    demand = gate.demand(result.tag)
    is_share = gate.statistic not in {"mean", "p95"}
    shown = percent if is_share else number
    about = gate.about or explain(gate.evaluator)
    name = join(result.title, tag("small", about))
    word = "at least" if gate.at_least is not None else "at most"
    status = tag("span", _WORDS[result.status], class_=f"status {result.status.value}")
    counts = f"{estimate.scored} scored, {estimate.skipped} skipped, {estimate.judge_errors} judge errors"
    if estimate.value is None:
        return [name, "none", "", f"{word} {shown(demand)}", status, counts]
    low, high = estimate.interval
    words = f"{shown(estimate.value)}, between {shown(low)} and {shown(high)}; demanded {word} {shown(demand)}"
    drawn = interval_bar(estimate.value, low, high, demand, words) if is_share else Html("")
    span = join(drawn, tag("span", f"{shown(low)} to {shown(high)}"))
    return [name, shown(estimate.value), span, f"{word} {shown(demand)}", status, counts]


def _topics(report: Report) -> Html:
    topics = report.topics()
    evaluators = [name for name in report.evaluators if any(name in cells for cells in topics.values())]
    if not topics:
        return tag("p", "The questions carry no tags.")
    rows = [
        [topic, *(_topic_cell(*cells[name]) if name in cells else "" for name in evaluators)]
        for topic, cells in topics.items()
    ]
    return table("Share of passed answers by tag, with range and number of answers", ["Tag", *evaluators], rows)


def _topic_cell(passed: int, total: int) -> str:
    low, high = wilson(passed, total)
    return join(percent(passed / total), tag("small", f"{percent(low)} to {percent(high)}, n = {total}"))


def _comparisons(report: Report) -> Html:
    if not report.verdict.comparisons:
        return tag("p", "There is no earlier run to compare with.")
    rows = [
        [
            f"{found.gate} [{found.tag}]" if found.tag else found.gate,
            f"{found.change:+.3f}",
            "worse, significant" if found.regressed else found.note or "no significant fall",
            f"{found.p_value:.3g}",
            str(found.pairs),
            found.method,
        ]
        for found in report.verdict.comparisons
    ]
    head = ["Demand", "Change", "Meaning", "p value", "Pairs", "Test"]
    return join(tag("p", STATISTICS["p value"], class_="note"), table("Change since the last run", head, rows))


def _examples(scores: list[Score]) -> Html:
    if not scores:
        return tag("p", "None.")
    return tag("ul", *(_example(score) for score in scores), class_="examples")


def _example(score: Score) -> Html:
    parts = [
        tag("p", tag("b", "Question: "), score.question),
        tag("p", tag("b", "Answer: "), score.answer),
        tag("p", tag("b", f"{score.evaluator}: "), score.reason or score.label or "passed"),
    ]
    if score.reference:
        parts.insert(2, tag("p", tag("b", "Expected: "), score.reference))
    return tag("li", *parts)
