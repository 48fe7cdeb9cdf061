"""The first screen: the verdict in one sentence, what it means, the risk and the cost."""

from shared.evaluation.gates import Strictness
from shared.evaluation.scorecard.markup import Html, join, tag
from shared.evaluation.scorecard.report import Report
from shared.evaluation.verdict import Decision, GateResult, Status

_SENTENCES = {
    Decision.GO: "Ready to launch: every demand is met with statistical confidence.",
    Decision.HOLD: "Not ready yet: nothing forbids a launch, but readiness is not shown.",
    Decision.NO_GO: "Do not launch: a safety demand is violated.",
}
_MEANINGS = {
    Decision.GO: "Customers can expect answers of the demanded quality. Keep the sampled checks in production on.",
    Decision.HOLD: "Launching now would mean betting on quality that the evidence does not support.",
    Decision.NO_GO: "Launching now would expose customers and the company to harm that was seen in this test.",
}


def executive_section(report: Report) -> Html:
    """The section for those who decide."""
    decision = report.verdict.decision
    word = tag("p", tag("strong", decision.value), class_=f"verdict {decision.name.lower().replace('_', '-')}")
    return tag(
        "section",
        word,
        tag("p", _SENTENCES[decision], class_="lead"),
        tag("h2", "What it means", id="means"),
        tag("p", _MEANINGS[decision]),
        _next_steps(report),
        tag("h2", "Risk"),
        _risks(report),
        tag("h2", "Cost"),
        tag("p", _cost(report)),
        aria_label="For decision makers",
        id="executive",
    )


def _next_steps(report: Report) -> Html:
    open_results = [result for result in report.verdict.results if result.status is not Status.PASSED]
    regressions = [found for found in report.verdict.comparisons if found.regressed]
    if not open_results and not report.verdict.reasons:
        return Html("")
    lines = [_step(result) for result in open_results]
    lines += [
        f"{found.gate}{f' [{found.tag}]' if found.tag else ''}: worse than the last run." for found in regressions
    ]
    lines += [reason for reason in report.verdict.reasons if "not compared" in reason]
    return join(tag("h2", "What stands in the way"), tag("ul", *(tag("li", line) for line in lines)))


def _step(result: GateResult) -> str:
    if result.status is Status.FAILED:
        return f"{result.title}: {result.reason}."
    more = f" About {result.items_needed} more test questions would decide it." if result.items_needed else ""
    reason = result.reason.split("; needs ")[0]
    return f"{result.title}: not decided, {reason}.{more}"


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
    text = f"The evaluation cost {_dollars(report.judge_cost_usd)} for judges"
    text += f" and {_dollars(report.answer_cost_usd)} for the answers under test."
    answered = len({score.item_id for score in report.scores})
    if report.answers_per_month and report.answer_cost_usd and answered:
        monthly = report.answer_cost_usd / answered * report.answers_per_month
        text += f" At {report.answers_per_month:,.0f} answers a month the model costs about {_dollars(monthly)}."
    return text


def _dollars(amount: float) -> str:
    return f"{amount:,.2f} US dollars" if amount >= 0.01 or amount == 0 else "under 0.01 US dollars"
