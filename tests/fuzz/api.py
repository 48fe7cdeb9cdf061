"""`python -m tests.fuzz.api SCHEMATHESIS`: generated requests to every route of the running app, on local Azure.

Three times: with generated ids, with ids of a turn, a session and an evaluation that are there, and at the end those
routes that would keep the others from answering, because they pause lanes and take deployments out of use.

Fails on a 5xx, on an answer that the OpenAPI document does not describe, and on one that does not come within a minute.
SCHEMATHESIS is its command line, which lives in an environment of its own; what follows is given to it.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.acceptance.stack import OPERATOR, Stack, ask

CHECKS = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"),
    *("negative_data_rejection", "ignored_auth"),
)
ANSWER_SECONDS = 60
PAUSING = ("switch_lane", "switch_deployment")
# A body that is too large is refused as such, whatever else is wrong with it.
REFUSALS = "checks.negative_data_rejection.expected-statuses = [400, 401, 403, 404, 409, 413, 422]\n"


def main() -> int:
    """The exit code of schemathesis, or 1 when the app is not there any more afterwards."""
    parser = argparse.ArgumentParser("tests.fuzz.api", description=__doc__)
    parser.add_argument("schemathesis", type=Path)
    parser.add_argument("--examples", type=int, default=100, help="most generated calls of a phase for each operation")
    options, more = parser.parse_known_args()
    with tempfile.TemporaryDirectory(prefix="spillway-fuzz-") as folder:
        stack = Stack(Path(folder), durable=False, settings={"SPILLWAY_REQUESTS_PER_MINUTE": "0"})
        try:
            stack.start()
            there = "".join(f'"path.{name}" = "{value}"\n' for name, value in _ids(stack).items())
            others = [part for name in PAUSING for part in ("--exclude-operation-id", name)]
            pausing = [part for name in PAUSING for part in ("--include-operation-id", name)]
            code = _run(options, [*others, *more], stack, REFUSALS)
            code |= _run(options, ["--phases", "fuzzing", *others, *more], stack, f"{REFUSALS}[parameters]\n{there}")
            code |= _run(options, [*pausing, *more], stack, REFUSALS)
            with stack.client(OPERATOR) as client:
                ready = client.get("/api/health/ready").status_code
            log = stack.parts["app"].log.read_text(errors="replace")
        finally:
            stack.stop()
    if code or ready != 200 or "Traceback" in log:
        print(log[-20_000:], f"The app answered {ready} at the end.", sep="\n", file=sys.stderr)
    return code or ready != 200 or "Traceback" in log


def _ids(stack: Stack) -> dict[str, str]:
    with stack.client(OPERATOR) as client:
        turn = ask(client, "Hello", session_id="there").events[0][2]["turn_id"]
        run = client.post("/api/evaluations", json={"items": [{"id": "1", "question": "Hello?"}], "complete": False})
    return {"turn": turn, "session": "there", "run": run.json()["evaluation_id"]}


def _run(options: argparse.Namespace, more: list[str], stack: Stack, configuration: str) -> int:
    (stack.folder / "schemathesis.toml").write_text(configuration)
    command = [
        *(str(options.schemathesis.absolute()), "run", f"{stack.url}/api/openapi.json"),
        *("--header", f"x-functions-key: {OPERATOR}"),
        *("--checks", ",".join(CHECKS), "--continue-on-failure", "--warnings", "off"),
        *("--max-examples", str(options.examples), "--request-timeout", str(ANSWER_SECONDS)),
        # One worker: hypothesis reads source code, which Python 3.11 cannot do in two threads at a time.
        *("--workers", "1", "--no-color", "--phases", "coverage,fuzzing", *more),
    ]
    return subprocess.run(command, check=False, cwd=stack.folder).returncode


if __name__ == "__main__":
    raise SystemExit(main())
