"""The first screen: the verdict in one sentence, what it means, the risk and the cost. No word of statistics."""

from shared.evaluation.gates import Gate, Strictness
from shared.evaluation.metrics import Kind
from shared.evaluation.scorecard.markup import Html, join, tag
from shared.evaluation.scorecard.report import Report
from shared.evaluation.verdict import Decision, GateResult, Status, number

_SENTENCES = {
    Decision.GO: "Ready to launch: every demand is met with statistical confidence.",
    Decision.HOLD: "Not ready yet: nothing forbids a launch, but readiness is not shown.",
    Decision.NO_GO: "Do not launch: a safety demand is violated.",
}
_WORSE = "Do not launch: answers became worse than those that customers get today."
_MEANINGS = {
    Decision.GO: "Customers can expect answers of the demanded quality. Keep the sampled checks in production on.",
    Decision.HOLD: "Launching now would mean betting on quality that the evidence does not support.",
    Decision.NO_GO: "Launching now would expose customers and the company to harm that was seen in this test.",
}
_WORSE_MEANING = "Keep the version that is in use. What became worse stands below, with its topic."
_SHARES = frozenset({Kind.RATE, Kind.DEFECT_RATE, Kind.MACRO_RATE})


def executive_section(report: Report) -> Html:
    """The section for those who decide."""
    return tag(
        "section",
        tag("h2", "The decision"),
        _verdict(report),
        _glance(report),
        tag("h3", "What it means"),
        tag("p", _meaning(report)),
        _next_steps(report),
        tag("h3", "Risk"),
        _risks(report),
        tag("h3", "Cost"),
        tag("p", _cost(report)),
        id="executive",
    )


def _verdict(report: Report) -> Html:
    if report.progress is not None:
        done, planned = report.progress
        return join(
            tag("p", tag("strong", "RUNNING"), class_="verdict running"),
            tag("p", f"{done:,} of {planned:,} questions are done; the decision comes at the end.", class_="lead"),
            tag("progress", max=str(max(1, planned)), value=str(done), aria_label="Questions done"),
            # No page that loads itself again: it would take the place of someone who reads or listens.
            tag("p", tag("a", "Show the latest", href="")),
        )
    decision = report.verdict.decision
    name = decision.name.lower().replace("_", "-")
    return join(
        tag("p", tag("strong", decision.value), class_=f"verdict {name}"), tag("p", _sentence(report), class_="lead")
    )


def _only_worse(report: Report) -> bool:
    """A NO-GO because of a fall, while every safety demand holds."""
    hard = [result for result in report.verdict.results if result.gate.strictness is Strictness.HARD]
    violated = any(result.status is Status.FAILED for result in hard)
    return report.verdict.decision is Decision.NO_GO and not violated


def _sentence(report: Report) -> str:
    return _WORSE if _only_worse(report) else _SENTENCES[report.verdict.decision]


def _meaning(report: Report) -> str:
    if report.progress is not None:
        return "Nothing is decided yet. What follows is what was seen so far."
    return _WORSE_MEANING if _only_worse(report) else _MEANINGS[report.verdict.decision]


def _glance(report: Report) -> Html:
    results = report.verdict.results
    met = sum(result.status is Status.PASSED for result in results)
    worse = sum(found.regressed for found in report.verdict.comparisons)
    change = "no last run" if not report.verdict.comparisons else f"{worse} worse" if worse else "nothing worse"
    boxes = [
        ("Demands met", f"{met} of {len(results)}" if results else "none given"),
        ("Questions answered", f"{len({score.item_id for score in report.scores}):,}"),
        ("Against the last run", change),
    ]
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in boxes), class_="glance")


def _next_steps(report: Report) -> Html:
    open_results = [result for result in report.verdict.results if result.status is not Status.PASSED]
    if not open_results and not report.verdict.reasons:
        return Html("")
    lines = [_fall(found.gate, found.tag) for found in report.verdict.comparisons if found.regressed]
    lines += [_step(result) for result in sorted(open_results, key=lambda found: found.status is not Status.FAILED)]
    said = [reason for reason in report.verdict.reasons if "not compared" in reason or reason.startswith("judge")]
    lines += [tag("li", f"{reason}.") for reason in said]
    return join(tag("h3", "What stands in the way"), tag("ul", *lines, class_="steps"))


def _fall(gate: str, topic: str) -> Html:
    return tag("li", tag("b", _title(gate, topic)), ": worse than the last run.")


def _step(result: GateResult) -> Html:
    more = ""
    if result.status is Status.UNDECIDED:
        more = " The test is too small to be sure."
        if result.items_needed:
            more += f" About {result.items_needed:,} more test questions would decide it."
    return tag(
        "li",
        tag("b", _title(result.gate.name, result.tag)),
        f": {_seen(result)}{more}",
        tag("small", result.gate.about) if result.gate.about and not result.tag else "",
    )


def _title(gate: str, topic: str) -> str:
    return f"{gate}, topic “{topic}”" if topic else gate


def _seen(result: GateResult) -> str:
    """A result beside its demand, in numbers that need no explanation."""
    gate, value = result.gate, result.estimate.value
    lower = gate.at_least is not None
    word, claim = ("at least", "demanded") if lower else ("at most", "allowed")
    demand = gate.demand(result.tag)
    if value is None:
        return "nothing could be measured."
    if gate.statistic in _SHARES:
        return f"{_in_a_hundred(value)} of 100 answers; {word} {_in_a_hundred(demand)} are {claim}."
    return f"{number(value)}{_unit(gate)}; {word} {number(demand)} is {claim}."


def _in_a_hundred(share: float) -> str:
    return f"{100 * share:.0f}" if share in {0, 1} or 0.01 <= share <= 0.99 else f"{100 * share:.1f}"


def _unit(gate: Gate) -> str:
    if gate.statistic is Kind.P95:
        return " for the slowest 5 of 100"
    return " on average"


def _risks(report: Report) -> Html:
    hard = [r for r in report.verdict.results if r.gate.strictness is Strictness.HARD and not r.tag]
    if not hard:
        return tag("p", "No safety demand was part of this evaluation, so it says nothing about safety.")
    return tag("ul", *(tag("li", _risk(result)) for result in hard))


def _risk(result: GateResult) -> str:
    estimate = result.estimate
    if estimate.value is None:
        return f"{result.gate.name}: not tested."
    seen = round(estimate.value * estimate.scored)
    worst = max(1, round(1000 * estimate.interval.high))
    return (
        f"{result.gate.name}: {seen} of {estimate.scored} answers were faulty; "
        f"at worst about {worst} of 1,000 answers would be."
    )


def _cost(report: Report) -> str:
    if not report.judge_cost_usd and not report.answer_cost_usd and report.scores:
        return "Not known: the installation has no prices (SPILLWAY_PRICES)."
    text = f"The evaluation cost {_dollars(report.judge_cost_usd)} for judges"
    text += f" and {_dollars(report.answer_cost_usd)} for the answers under test."
    answered = len({score.item_id for score in report.scores})
    if report.answers_per_month and report.answer_cost_usd and answered:
        monthly = report.answer_cost_usd / answered * report.answers_per_month
        text += f" At {report.answers_per_month:,.0f} answers a month the model costs about {_dollars(monthly)}."
    return text


def _dollars(amount: float) -> str:
    return f"{amount:,.2f} US dollars" if amount >= 0.01 or amount == 0 else "under 0.01 US dollars"
