"""Evaluates all alerts once and says which would fire."""

import argparse
import sys

from infra.alerts.ask import AskError, Findings, ask
from infra.alerts.table import load

DESCRIPTION = """\
Evaluates the alerts that are deployed to Azure against the local Application Insights. The queries are the same;
docs/alerts.md says what each means. Ends with 1 when one fires that would wake somebody, with 2 without an answer."""


def _arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m infra.alerts", description=DESCRIPTION)
    parser.add_argument("--url", default="http://127.0.0.1:9100", help="local Application Insights (%(default)s)")
    parser.add_argument("--at", metavar="TIME", help="evaluate as if it was this moment, such as 2026-01-31T12:00:00Z")
    parser.add_argument("--queries", action="store_true", help="print the queries instead of asking them")
    return parser.parse_args(given)


def _line(found: Findings) -> str:
    state = "quiet" if not found.fires else "PAGES" if found.alert.pages else "ticket"
    lines = [f"{state:7} {found.alert.name:26} {found.alert.title}"]
    lines += ["        " + ", ".join(f"{name} {value}" for name, value in row.items()) for row in found.rows]
    return "\n".join(lines)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def main(given: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    arguments = _arguments(given)
    alerts = load()
    if arguments.queries:
        _say("\n".join(f"// {alert.name}: {alert.title}\n{alert.query}" for alert in alerts))
        return 0
    try:
        found = [ask(arguments.url, alert, at=arguments.at) for alert in alerts]
    except AskError as fault:
        sys.stderr.write(f"{fault}\n")
        return 2
    _say("\n".join(_line(one) for one in sorted(found, key=lambda one: (not one.fires, one.alert.severity))))
    return int(any(one.fires and one.alert.pages for one in found))


if __name__ == "__main__":
    sys.exit(main())
