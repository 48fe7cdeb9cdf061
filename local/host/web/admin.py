"""The one administrative call of the platform that is of use here: running a timer function now."""

import asyncio
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Scope, Send

from local.host.app.functions import TIMER, Function
from local.host.web.answers import send_empty, send_plain
from local.host.web.keys import Keys, presented_key

PREFIX = "/admin/"
_PATH = re.compile(r"/admin/functions/([\w-]+)/?", re.IGNORECASE)
RunNow = Callable[[Function], Coroutine[Any, Any, object]]


@dataclass(frozen=True, slots=True)
class Admin:
    """`POST /admin/functions/{name}`, as documented for functions without an HTTP trigger.

    Attributes:
        functions: All functions of the app by name, whether or not this instance listens for them.
        run_now: Runs one.
        keys: The master key is needed; None lets everybody in.
    """

    functions: Mapping[str, Function]
    run_now: RunNow
    keys: Keys | None
    _running: set[asyncio.Task[object]] = field(default_factory=set)

    async def answer(self, scope: Scope, headers: Mapping[bytes, bytes], send: Send) -> None:
        """202 when the function has been started, 401, 404, or 400 for a trigger that cannot be run so."""
        match = _PATH.fullmatch(scope["path"])
        presented = presented_key(headers, scope["query_string"])
        if self.keys is not None and not self.keys.is_master(presented):
            await send_empty(send, 401)
            return
        function = self.functions.get(match[1]) if match else None
        if function is None or scope["method"] != "POST":
            await send_empty(send, 404)
        elif function.kind != TIMER:
            await send_plain(send, 400, f"Only timers can be run from here; {function.name} is a {function.kind}.")
        else:
            task: asyncio.Task[object] = asyncio.create_task(self.run_now(function))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            await send_empty(send, 202)
