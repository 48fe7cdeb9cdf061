"""The invocation context that a function gets when it asks for one, with the attributes of the worker's own."""

import threading
from typing import Any

# One storage for all invocations, as in the worker: an app reads `invocation_id` from its own threads.
_STORAGE = threading.local()


class TraceContext:
    """W3C trace context of the trigger, with empty texts when there is none."""

    __slots__ = ("_attributes", "_trace_parent", "_trace_state")

    def __init__(self, trace_parent: str, trace_state: str) -> None:
        """Holds the two header values."""
        self._trace_parent = trace_parent
        self._trace_state = trace_state
        self._attributes: dict[str, str] = {}

    @property
    def trace_parent(self) -> str:
        """Value of `traceparent`."""
        return self._trace_parent

    @property
    def trace_state(self) -> str:
        """Value of `tracestate`."""
        return self._trace_state

    @property
    def attributes(self) -> dict[str, str]:
        """Always empty."""
        return self._attributes

    Traceparent = trace_parent
    Tracestate = trace_state
    Attributes = attributes


class RetryContext:
    """Retry context of an invocation that is no retry; retry policies are not supported."""

    __slots__ = ()

    @property
    def retry_count(self) -> int:
        """Always 0."""
        return 0

    @property
    def max_retry_count(self) -> int:
        """Always 0."""
        return 0

    @property
    def exception(self) -> Any:
        """Always None."""
        return None


_NO_RETRY = RetryContext()


class Context:
    """Names one invocation."""

    __slots__ = ("_directory", "_function", "_invocation_id", "_trace")

    def __init__(self, function: str, directory: str, invocation_id: str, trace: TraceContext) -> None:
        """Holds the facts of one invocation."""
        self._function = function
        self._directory = directory
        self._invocation_id = invocation_id
        self._trace = trace

    @property
    def invocation_id(self) -> str:
        """A UUID."""
        return self._invocation_id

    @property
    def thread_local_storage(self) -> Any:
        """Holds `invocation_id` for the thread that runs the function."""
        return _STORAGE

    @property
    def function_name(self) -> str:
        """Name of the function."""
        return self._function

    @property
    def function_directory(self) -> str:
        """Folder of the function's source file."""
        return self._directory

    @property
    def trace_context(self) -> TraceContext:
        """Trace context of the trigger."""
        return self._trace

    @property
    def retry_context(self) -> RetryContext:
        """Says that this is no retry."""
        return _NO_RETRY
