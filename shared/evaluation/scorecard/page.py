"""The scorecard as one HTML page without any other file."""

from datetime import datetime
from pathlib import Path

from shared.evaluation.scorecard.executive import executive_section
from shared.evaluation.scorecard.markup import Html, tag
from shared.evaluation.scorecard.product import product_section
from shared.evaluation.scorecard.report import Report
from shared.evaluation.scorecard.science import science_section
from shared.evaluation.scorecard.words import words_section

_STYLE = Path(__file__).with_name("style.css")


def to_html(report: Report) -> str:
    """The whole page."""
    # A page that loads nothing cannot be made to: the policy blocks whatever might slip through.
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    head = tag(
        "head",
        Html('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        tag("title", f"{report.title}: {'running' if report.progress else report.verdict.decision.value}"),
        tag("style", Html(_STYLE.read_text(encoding="utf-8"))),
    )
    navigation = tag(
        "nav",
        *(tag("a", text, href=f"#{place}") for place, text in _PARTS),
        aria_label="Parts of this page",
    )
    about = (tag("p", report.system), tag("p", moment(report.created)))
    top = tag("header", tag("h1", report.title), *about, navigation)
    parts = (executive_section, product_section, science_section, words_section)
    main = tag("main", *(part(report) for part in parts))
    return "<!doctype html>\n" + tag("html", head, tag("body", top, main), lang="en") + "\n"


def moment(text: str) -> str:
    """A moment as people write it; anything else stays as it is."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{found.day} {found:%B %Y, %H:%M} UTC"


_PARTS = (
    ("executive", "The decision"),
    ("product", "Topics and examples"),
    ("science", "Evidence"),
    ("words", "Words explained"),
)
