"""The words for where the time of a turn goes, one for each stage. docs/latency.md explains them; a test compares."""

from typing import Final

CLIENT_SEND: Final = "client_send"
FRONT_END: Final = "front_end"
START: Final = "start"
RECEIVE: Final = "receive"
VALIDATION: Final = "validation"
ADMISSION: Final = "admission"
STORE_ACCEPT: Final = "store_accept"
ENQUEUE: Final = "enqueue"
EARLIER_RUNS: Final = "earlier_runs"
DEFERRAL: Final = "deferral"
QUEUE: Final = "queue"
DISPATCH: Final = "dispatch"
CACHE: Final = "cache"
CONTEXT: Final = "context"
PROMPT: Final = "prompt"
RETRY: Final = "retry"
GRANT: Final = "grant"
CONNECT: Final = "connect"
FIRST_TOKEN: Final = "first_token"  # noqa: S105  the name of a stage
STREAM: Final = "stream"
STORE: Final = "store"
RELAY: Final = "relay"

STAGES: Final = (
    CLIENT_SEND,
    FRONT_END,
    START,
    RECEIVE,
    VALIDATION,
    ADMISSION,
    STORE_ACCEPT,
    ENQUEUE,
    EARLIER_RUNS,
    DEFERRAL,
    QUEUE,
    DISPATCH,
    CACHE,
    CONTEXT,
    PROMPT,
    RETRY,
    GRANT,
    CONNECT,
    FIRST_TOKEN,
    STREAM,
    STORE,
    RELAY,
)
"""All stages, in the order in which a turn meets them; on the direct path `store_accept` comes after `first_token`."""

BEFORE_THE_APP: Final = frozenset({CLIENT_SEND, FRONT_END})
"""Stages that end where the app's first line runs; their length is what others' clocks say."""
BETWEEN_MACHINES: Final = (EARLIER_RUNS, DEFERRAL, QUEUE)
"""Stages that begin on one machine and end on another."""
