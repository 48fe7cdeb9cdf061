"""The lanes: all that is said of one is said here. Its queue is declared in local/queues.json and in Bicep."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, get_args

LaneName = Literal["interactive", "standard", "batch"]
"""The name of a lane where callers give or receive one."""


class Lane(StrEnum):
    """A priority class with its own queue, from the one that goes first to the one that goes last."""

    INTERACTIVE = "interactive"
    STANDARD = "standard"
    BATCH = "batch"


DEADLINE_SECONDS: Mapping[Lane, float] = {Lane.INTERACTIVE: 120.0, Lane.STANDARD: 600.0, Lane.BATCH: 3600.0}
"""How long a turn may take when its caller gives no time; a setting of the lane's name changes it."""

if tuple(Lane) != get_args(LaneName) or set(DEADLINE_SECONDS) != set(Lane):
    raise TypeError("LaneName, Lane and DEADLINE_SECONDS have to name the same lanes, in the same order.")


def queue_of(lane: Lane) -> str:
    """The lane's queue."""
    return f"chat-{lane}"
