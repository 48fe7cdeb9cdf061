"""Triggers: each file decodes, calls one use case and encodes."""

import importlib
import pkgutil
from collections.abc import Iterator

import azure.functions as func

from shared.wiring import Services


def blueprints(services: Services) -> Iterator[func.Blueprint]:
    """What every module here makes, in the order of their names; a new trigger is a new module and nothing else."""
    for found in sorted(pkgutil.iter_modules(__path__)):
        module = importlib.import_module(f"{__name__}.{found.name}")
        if hasattr(module, "make_blueprint"):
            yield module.make_blueprint(services)
