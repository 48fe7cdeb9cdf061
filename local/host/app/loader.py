"""Imports an app's function_app.py and finds its functions."""

import contextlib
import importlib
import logging
import os
import re
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType, ModuleType

import azure.functions

from local.host.app.functions import Function, describe
from local.host.errors import HostError, UnsupportedError

INDEXING_SECONDS = 30
_SCRIPT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*\.py")
_logger = logging.getLogger(__name__)


class _TooSlowError(BaseException):
    """Importing took too long. No Exception, so that an app's own handlers do not swallow it."""


def load(app: Path, *, ignore_unsupported: bool = False, seconds: float = INDEXING_SECONDS) -> list[Function]:
    """Imports the app and describes its functions, in alphabetical order.

    Runs the import on the calling thread, which is the event loop's in the worker too: an app may rely on a running
    loop at import time.

    Args:
        app: Folder that holds function_app.py (or what `PYTHON_SCRIPT_FILE_NAME` names).
        ignore_unsupported: Leave out functions that this host cannot run instead of refusing the app.
        seconds: How long indexing may take; Azure's Flex Consumption plan allows 30.

    Raises:
        HostError: The app cannot be imported or is not valid; the message holds the app's own traceback.
    """
    script = os.environ.get("PYTHON_SCRIPT_FILE_NAME", "function_app.py")
    if not _SCRIPT.fullmatch(script):
        raise HostError(f'PYTHON_SCRIPT_FILE_NAME: "{script}" is not a valid file name.')
    if not (app / script).is_file():
        raise HostError(f"{app / script} does not exist. Name the folder of a Python v2-model app with --app.")
    with _alarm(seconds), _readable(app / script, seconds):
        indexed = _function_app(_import(app, script)).get_functions()
    return sorted(_described(indexed, ignore_unsupported=ignore_unsupported), key=lambda function: function.name)


def put_last_on_path(app: Path) -> None:
    """Makes the app's modules importable with the least priority, as in the worker.

    An installed package of the same name wins over a folder of the app, here as on Azure.
    """
    folder = str(app)
    sys.path[:] = [entry for entry in sys.path if entry and Path(entry).resolve() != app]
    sys.path.append(folder)


def _import(app: Path, script: str) -> ModuleType:
    put_last_on_path(app)
    module = importlib.import_module(Path(script).stem)
    found = Path(module.__file__ or "").resolve()
    if found != (app / script).resolve():
        raise HostError(f"An installed module hides {app / script}: {found} was imported in its place.")
    return module


def _function_app(module: ModuleType) -> azure.functions.FunctionRegister:
    apps = {id(value): value for value in vars(module).values() if isinstance(value, azure.functions.FunctionRegister)}
    if not apps:
        raise HostError(f"{module.__file__} defines no top-level FunctionApp.")
    if len(apps) > 1:
        raise HostError(f"{module.__file__} defines more than one top-level FunctionApp.")
    return next(iter(apps.values()))


def _described(indexed: Sequence[object], *, ignore_unsupported: bool) -> Iterator[Function]:
    for function in indexed:
        try:
            yield describe(function)
        except UnsupportedError as error:
            if not ignore_unsupported:
                raise HostError(f"{error} Use --ignore-unsupported to run the other functions.") from error
            _logger.warning("%s It is left out.", error)


@contextlib.contextmanager
def _readable(script: Path, seconds: float) -> Iterator[None]:
    """Turns whatever the app raises into one error that shows where it happened."""
    try:
        yield
    except HostError:
        raise
    except _TooSlowError as error:
        raise HostError(
            f"{script} was not indexed within {seconds:g} s, which is as long as Azure allows. It was here:\n"
            f"{_app_frames(error)}"
        ) from error
    except (Exception, SystemExit) as error:
        raise HostError(f"{script} cannot be imported:\n{_app_frames(error)}") from error


def _app_frames(error: BaseException) -> str:
    """The traceback without this module's and importlib's own frames."""
    report = traceback.TracebackException.from_exception(error)
    report.stack[:] = [frame for frame in report.stack if not _is_machinery(frame.filename)]
    if isinstance(error, _TooSlowError):
        return "".join(report.stack.format())
    return "".join(report.format())


def _is_machinery(filename: str) -> bool:
    return filename == __file__ or "importlib" in filename


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Interrupts the main thread after `seconds` wherever it is."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise _TooSlowError

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
