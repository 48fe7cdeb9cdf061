"""uvicorn on sockets that are bound already, started and ended by the instance."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from local.host.web.protocol import BoundedHttp


class WebServer(uvicorn.Server):
    """Serves until `end`, which lets requests in progress finish for a while."""

    def __init__(self, app: ASGIApp, drain_seconds: float, protocol: type[BoundedHttp] = BoundedHttp) -> None:
        """Does not serve yet.

        Args:
            app: Answers the requests.
            drain_seconds: How long requests may go on after `end`; rounded, uvicorn knows whole seconds only.
            protocol: With other bounds, for tests.
        """
        super().__init__(
            uvicorn.Config(
                app,
                loop="none",
                http=protocol,
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=max(1, round(drain_seconds)),
            )
        )
        self._task: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals to the instance."""
        yield

    def begin(self, sockets: list[socket.socket]) -> None:
        """Starts to serve."""
        self._task = asyncio.create_task(self.serve(sockets))

    async def end(self) -> None:
        """Accepts nothing more, waits for what is in progress and cancels what takes too long."""
        self.should_exit = True
        if self._task is not None:
            await self._task
