#!/usr/bin/env bash
# Runs tests on the deployed Python. `full`: unit tests, host and acceptance tests, the worker and the package. `smoke`:
# what fits into every run of CI; it says so and succeeds where no Python 3.13 can be had.
set -euo pipefail
cd "$(dirname "$0")/../.."
extent=${1:?full or smoke}

if ! python=$(bash tests/deployed/python313.sh); then
    [ "$extent" = smoke ] || exit 1
    echo "SKIPPED: tests on the deployed Python. See the reason above."
    exit 0
fi
worker=azure-functions-runtime==1.3.0
needs=(requirements-dev.txt)
if [ "$extent" = smoke ]; then
    mapfile -t needs < <(grep -E '^(pytest|pytest-asyncio|pytest-timeout|hypothesis|httpx2|psutil|pathspec)==' requirements-dev.txt)
    needs=(requirements-local.txt "${needs[@]}")
fi
checks=$(bash tests/environment.sh "$python" "checks-$extent" "${needs[@]}" "$worker")
# As Azure installs it: the app's requirements and Microsoft's worker, nothing else.
SPILLWAY_CLEAN_ENVIRONMENT=$(bash tests/environment.sh "$python" deployed requirements.txt "$worker")
export SPILLWAY_CLEAN_ENVIRONMENT
"$checks/bin/python" -c 'import sys; print("Python", sys.version, "in", sys.prefix)'

smoke=(tests/deployed tests/contract/host/test_worker.py tests/unit/test_door.py tests/unit/policies tests/unit/host
    tests/acceptance/test_answering.py)
# One test measures time against a bound that was set for Python 3.11.
skip=(--deselect "tests/unit/evaluation/test_golden.py::test_importing_the_evaluation_costs_less_than_0_3_seconds_and_no_heavy_library")
full=(tests/deployed tests/unit tests/test_contracts.py tests/test_layering.py tests/contract/host
    tests/acceptance/test_answering.py tests/acceptance/test_openai_clients.py tests/acceptance/test_refusing.py
    tests/acceptance/test_starting.py tests/acceptance/test_faults.py tests/acceptance/test_crashes.py
    tests/acceptance/test_telemetry.py tests/acceptance/evaluation tests/acceptance/test_shell.py
    tests/acceptance/test_tenants.py)
declare -n chosen=$extent
exec "$checks/bin/python" -m pytest -p no:cacheprovider "${chosen[@]}" "${skip[@]}" "${@:2}"
