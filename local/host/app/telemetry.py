"""What surrounds an app's invocations in telemetry: nothing, unless the app's settings ask for it."""

import contextlib
import functools
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from local.host.app.functions import Function

if TYPE_CHECKING:
    from local.host.app.invocation import Trace

CONNECTION_STRING = "APPLICATIONINSIGHTS_CONNECTION_STRING"
ENABLED = "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY"
LOGGER_NAME = "PYTHON_APPLICATIONINSIGHTS_LOGGER_NAME"
# What the worker takes for yes.
_YES = frozenset({"true", "1", "t", "y", "yes"})


class Telemetry:
    """Makes none."""

    async def request(
        self, function: Function, request: Any, trace: "Trace", run: Callable[["Trace"], Awaitable[Any]]
    ) -> Any:
        """Runs an HTTP function and returns what it returns.

        Args:
            function: What answers.
            request: What it is given: the web extension's request or a classic one.
            trace: The caller's W3C headers.
            run: Runs it, with the trace context that it is told.
        """
        del function, request
        return await run(trace)

    def invocation(
        self, function: Function, trace: "Trace", invocation_id: str
    ) -> contextlib.AbstractContextManager["Trace"]:
        """Surrounds one run of a function that answers nobody; gives the trace context that it is told."""
        del function, invocation_id
        return contextlib.nullcontext(trace)

    def flush(self) -> None:
        """Sends what has not been sent."""


OFF = Telemetry()


def configured() -> Telemetry:
    """What the app's settings ask for, set up once in a process.

    Nothing of OpenTelemetry is imported otherwise: an app need not have it.
    """
    settings: Mapping[str, str] = os.environ
    connection_string = settings.get(CONNECTION_STRING)
    if settings.get(ENABLED, "").lower() not in _YES or not connection_string:
        return OFF
    # Instances share a machine here; on Azure each has a name of its own.
    os.environ.setdefault("OTEL_RESOURCE_ATTRIBUTES", f"service.instance.id={settings.get('WEBSITE_INSTANCE_ID', '')}")
    return _azure_monitor(connection_string, settings.get(LOGGER_NAME, ""))


@functools.cache
def _azure_monitor(connection_string: str, logger_name: str) -> Telemetry:
    from local.host.app.azure_monitor import AzureMonitor  # noqa: PLC0415  only where telemetry is asked for

    return AzureMonitor(connection_string, logger_name=logger_name)
