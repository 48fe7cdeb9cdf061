"""`python -m shared.advisor < turns.json`: what would be saved, from a JSON list of turns with their timelines."""

import argparse
import json
import sys

from shared.advisor.advise import advise
from shared.advisor.finding import Needs
from shared.advisor.journeys import journeys
from shared.advisor.report import markdown


def main() -> int:
    """The command line; 0 when there is a report, 2 when the input is no list of turns."""
    parser = argparse.ArgumentParser(prog="python -m shared.advisor", description=__doc__)
    parser.add_argument("--needed-tokens", type=int, default=0, help="what an answer needs (default: learned)")
    parser.add_argument("--json", action="store_true", help="numbers instead of a table")
    options = parser.parse_args()
    try:
        turns = json.load(sys.stdin)
        report = advise(journeys(turns), Needs(output_tokens=options.needed_tokens or None))
    except (ValueError, TypeError, AttributeError) as error:
        sys.stderr.write(f"error: the input is no JSON list of turns: {error}\n")
        return 2
    sys.stdout.write(json.dumps(report) + "\n" if options.json else markdown(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
