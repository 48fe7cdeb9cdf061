import os
import sys
from pathlib import Path

import pytest

from local.host.app import extension, loader
from local.host.app.functions import Function
from local.host.app.invocation import Invoker
from local.host.errors import HostError
from local.host.timers.listener import SystemClock, listeners
from local.host.web import routes

HEADER = "import azure.functions as func\napp = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)\n"
_scripts = iter(range(1000))


@pytest.fixture(autouse=True)
def _as_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(extension, "loaded", lambda: False)
    monkeypatch.setenv("PYTHON_SCRIPT_FILE_NAME", f"unit_app_{next(_scripts)}.py")


def load(folder: Path, declarations: str) -> list[Function]:
    (folder / os.environ["PYTHON_SCRIPT_FILE_NAME"]).write_text(HEADER + declarations)
    functions = loader.load(folder)
    routes.build(functions, "api")
    listeners(functions, {}, Invoker(), data=folder, app=folder, clock=SystemClock())
    return functions


def http(route: str = "a", parameters: str = "req: func.HttpRequest", returns: str = "str", name: str = "f") -> str:
    return f"@app.route(route='{route}')\ndef {name}({parameters}) -> {returns}: ...\n"


def timer(schedule: str, annotation: str = "func.TimerRequest") -> str:
    return f"@app.timer_trigger('timer', schedule='{schedule}')\ndef f(timer: {annotation}) -> None: ...\n"


@pytest.mark.parametrize(
    ("declarations", "message"),
    [
        (
            http(parameters="req: func.HttpRequest, extra: str"),
            r"the parameters \['extra'\] are declared in Python but",
        ),
        (http(parameters="request: func.HttpRequest"), r"the parameters \['request'\] are declared in Python but"),
        (http(parameters="req: func.HttpRequest, context: int"), '"context" must be an azure.functions.Context'),
        (http(returns="dict"), 'the return annotation "dict" does not match'),
        (http(returns="str | None"), "must be one type"),
        (http(route="a/{b"), "a brace is not closed"),
        (http(route="a/{b:prime}"), 'there is no route constraint "prime"'),
        (timer("0 0 25 * * *"), 'the schedule "0 0 25 [*] [*] [*]" is not valid: "25" is no hour'),
        (timer("0 0 0 30 2 *"), "never occurs"),
        (timer("%NO_SETTING%"), '"%NO_SETTING%" does not resolve to an application setting'),
        (timer("* * * * *", annotation="int"), 'does not match its Python annotation "int"'),
        (http() + "other = func.FunctionApp()", "more than one top-level FunctionApp"),
        ("del app", "defines no top-level FunctionApp"),
        ("@app.function_name('two words')\n" + http(), 'Function "two words": a name starts with a letter'),
        (http() + "@app.function_name('f')\n" + http(route="b", name="g"), "unique"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("def broken(:", "SyntaxError"),
        ("import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
    ],
)
def test_an_invalid_app_is_refused_with_one_readable_error(tmp_path: Path, declarations: str, message: str) -> None:
    with pytest.raises(HostError, match=message):
        load(tmp_path, declarations)


def test_functions_are_described_in_alphabetical_order(tmp_path: Path) -> None:
    functions = load(tmp_path, http(name="b") + http(name="a", route="{x}/y", parameters="req, context: func.Context"))
    assert [function.name for function in functions] == ["a", "b"]
    assert [function.wants_context for function in functions] == [True, False]


def test_an_import_that_hangs_is_ended_even_if_the_app_catches_everything(tmp_path: Path) -> None:
    source = "import time\ntry:\n    time.sleep(20)\nexcept Exception:\n    pass\n"
    (tmp_path / os.environ["PYTHON_SCRIPT_FILE_NAME"]).write_text(HEADER + source)
    with pytest.raises(HostError, match=r"not indexed within 0.05 s.*\n.*line 5(.|\n)*time.sleep\(20\)"):
        loader.load(tmp_path, seconds=0.05)
