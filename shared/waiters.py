"""Those who wait for what a task in the background does for all of them."""

import asyncio
from collections.abc import Iterable
from typing import Any

from shared.errors import Unavailable


def refuse(waiting: Iterable["asyncio.Future[Any]"], fault: BaseException) -> None:
    """Tells a fault to all who still wait; that the task itself was cancelled is Unavailable to them."""
    error = fault if isinstance(fault, Exception) else Unavailable()
    for one in waiting:
        if not one.done():
            one.set_exception(error)
