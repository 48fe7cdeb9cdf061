"""The scorecard as one HTML page without any other file."""

from pathlib import Path

from shared.evaluation.scorecard.executive import executive_section
from shared.evaluation.scorecard.markup import Html, tag
from shared.evaluation.scorecard.product import product_section
from shared.evaluation.scorecard.report import Report
from shared.evaluation.scorecard.science import science_section

_STYLE = Path(__file__).with_name("style.css")


def to_html(report: Report) -> str:
    """The whole page."""
    # A page that loads nothing cannot be made to: the policy blocks whatever might slip through.
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    head = tag(
        "head",
        Html('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        tag("title", f"{report.title}: {report.verdict.decision.value}"),
        tag("style", Html(_STYLE.read_text(encoding="utf-8"))),
    )
    navigation = tag(
        "nav",
        *(tag("a", text, href=f"#{place}") for place, text in _PARTS),
        aria_label="Parts of this page",
    )
    top = tag("header", tag("h1", report.title), tag("p", f"{report.system}, {report.created}"), navigation)
    main = tag("main", executive_section(report), product_section(report), science_section(report))
    return "<!doctype html>\n" + tag("html", head, tag("body", top, main), lang="en") + "\n"


_PARTS = (("executive", "Decision"), ("product", "Topics and examples"), ("science", "Evidence"))
