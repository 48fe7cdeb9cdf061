"""The app's functions as the platform indexes them."""

import importlib
import os
from functools import cache
from typing import Any

from tests.unit.samples import ENVIRONMENT


@cache
def app_functions() -> dict[str, list[dict[str, Any]]]:
    """The bindings of each function by its name; nothing is connected for it."""
    before = dict(os.environ)
    os.environ.update(ENVIRONMENT)
    try:
        app = importlib.import_module("function_app").app
    finally:
        os.environ.clear()
        os.environ.update(before)
    return {found.get_function_name(): found.get_bindings_dict()["bindings"] for found in app.get_functions()}
