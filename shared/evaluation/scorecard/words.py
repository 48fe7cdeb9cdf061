"""The last part: every word of the page that is not everybody's, explained."""

from shared.evaluation.scorecard.markup import Html, join, tag
from shared.evaluation.scorecard.report import Report
from shared.evaluation.scorecard.terms import STATISTICS, VERDICTS, explain


def words_section(report: Report) -> Html:
    """What the verdicts, the evaluators of this run and the statistics mean."""
    evaluators = {name: meaning for name in report.evaluators if (meaning := explain(name))}
    return tag(
        "section",
        tag("h2", "Words explained"),
        *(_list(title, words) for title, words in _groups(evaluators)),
        id="words",
    )


def _groups(evaluators: dict[str, str]) -> tuple[tuple[str, dict[str, str]], ...]:
    return (("Verdicts", dict(VERDICTS)), ("Measures", evaluators), ("Statistics", dict(STATISTICS)))


def _list(title: str, words: dict[str, str]) -> Html:
    if not words:
        return Html("")
    entries = (tag("div", tag("dt", word), tag("dd", meaning)) for word, meaning in words.items())
    return join(tag("h3", title), tag("dl", *entries, class_="words"))
