"""Loads an app with Microsoft's own worker and prints what it finds; run as a script, in a process of its own.

Arguments: the folder with the unpacked azure-functions-runtime, the folder of the app. With `--each`, the folder holds
app_0.py, app_1.py and so on, and the answer is a list of whether the worker takes each of them.
"""

import itertools
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any


class BindingInfo(SimpleNamespace):
    """Stands for the worker's protocol message of the same name."""

    out, inout, undefined = 1, 2, 0


def main() -> None:
    """Prints one line of JSON, or the worker's own message and ends with 1."""
    runtime, app = sys.argv[1:3]
    sys.path[0] = runtime
    sys.path.append(app)
    if sys.argv[3:] == ["--each"]:
        scripts = (f"app_{number}.py" for number in itertools.count())
        existing = itertools.takewhile(lambda name: (Path(app) / name).exists(), scripts)
        say(json.dumps([accepts(app, name) for name in existing]))
        return
    try:
        found = index(app)
    except Exception as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from error
    listed = [{"name": one.name, "bindings": [json.loads(text) for text in one.raw_bindings]} for one in found]
    say(json.dumps(sorted(listed, key=lambda function: function["name"])))


def accepts(app: str, script: str) -> bool:
    """Whether the worker takes an app."""
    os.environ["PYTHON_SCRIPT_FILE_NAME"] = script
    try:
        index(app)
    except Exception as error:  # noqa: BLE001  whatever the worker raises is a refusal
        sys.stderr.write(f"{script}: {error}\n")
        return False
    return True


def index(app: str) -> list[Any]:
    """What the worker finds in an app."""
    from azure_functions_runtime import handle_event

    names = ("RpcFunctionMetadata", "RpcRetryOptions")
    handle_event.protos = SimpleNamespace(BindingInfo=BindingInfo, **dict.fromkeys(names, SimpleNamespace))
    handle_event.load_binding_registry()
    handle_event.load_function_metadata(app, caller_info="test")
    found: list[Any] = handle_event._metadata_result or []
    return found


def say(line: str) -> None:
    """Prints one line."""
    sys.stdout.write(line + "\n")


main()
