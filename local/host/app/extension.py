"""The web extension that an app imports to get FastAPI requests and streaming responses, if it imports one.

The extension's base package records which classes stand for requests and responses. The worker looks for it only
when the app has imported it, and so does this module: nothing here imports it.
"""

import sys
from types import ModuleType
from typing import Any

_BASE = "azurefunctions.extensions.base"


def _base() -> ModuleType | None:
    return sys.modules.get(_BASE)


def loaded() -> bool:
    """Whether the app has switched HTTP to a web extension; it is all functions or none."""
    base = _base()
    return base is not None and bool(base.HttpV2FeatureChecker.http_v2_enabled())


def is_request(annotation: Any) -> bool:
    """Whether an annotation is the extension's request class."""
    base = _base()
    return base is not None and bool(base.RequestTrackerMeta.check_type(annotation))


def is_response(annotation: Any) -> bool:
    """Whether an annotation is one of the extension's response types."""
    base = _base()
    return base is not None and bool(base.ResponseTrackerMeta.check_type(annotation))


def request_class() -> type[Any]:
    """The request class that functions are given."""
    base = _base()
    if base is None:
        raise LookupError("No web extension is loaded.")
    return base.RequestTrackerMeta.get_request_type()  # type: ignore[no-any-return]  # untyped package


def route_synchronizer() -> Any:
    """The object that puts route parameters on a request."""
    base = _base()
    if base is None:
        raise LookupError("No web extension is loaded.")
    return base.RequestTrackerMeta.get_synchronizer()
