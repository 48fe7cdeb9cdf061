"""What is recorded of fuzzing is what the tools said, and a run that did not come to its end is no good one."""

from tests.fuzz.outcome import of_api, of_decoder

GOOD = """Schemathesis v4.32.5
Test cases:
  4901 generated, 4901 passed, 60 skipped

Seed: 27348

=========================== No issues found in 812.18s ===========================
"""
BAD = """Schemathesis v4.32.5
Test cases:
  314 generated, 3 found 2 unique failures, 311 passed

Seed: 43

=========================== 2 issues in 8.70s ===========================
"""


def test_runs_of_the_api_are_told_apart_and_a_failed_one_is_not_good() -> None:
    good, bad = of_api(GOOD + BAD)

    assert good == {
        "what": "ids generated",
        "generated": 4901,
        "passed": 4901,
        "skipped": 60,
        "seed": "27348",
        "no_issues": True,
    }
    assert (bad["generated"], bad["passed"], bad["seed"], bad["no_issues"]) == (314, 311, "43", False)


def test_a_fuzzer_that_was_stopped_or_found_something_is_no_good_run() -> None:
    reached = "#512 NEW cov: 800 ft: 900 corp: 12\n"
    done = "Done 60543 runs in 601 second(s)\nstat::slowest_unit_time_sec:    15\n"
    slow = "artifact_prefix='x-'; Test unit written to x-slow-unit-ab\n"
    whole = of_decoder(reached + slow + done)

    assert whole == {
        "inputs": 60543,
        "seconds": 601,
        "places_reached": 800,
        "slowest_input_seconds": 15,
        "no_finding": True,
    }
    assert not of_decoder(reached)["no_finding"]
    for kind in ("crash", "timeout", "oom"):
        assert not of_decoder(f"{reached}artifact_prefix='x-'; Test unit written to x-{kind}-ab\n{done}")["no_finding"]
