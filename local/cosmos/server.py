"""Runs the account on a socket until it is told to stop."""

import asyncio
import contextlib
import logging
import socket
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn

from local.cosmos.app import App
from local.cosmos.rows import Rows
from local.cosmos.service import Service
from local.wire import stop_event

_PURGE_EVERY_SECONDS = 1.0

logger = logging.getLogger(__name__)


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handling, which would end the process before the data is closed."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def configuration(service: Service, tls: tuple[Path, Path] | None) -> uvicorn.Config:
    """How uvicorn is to run the account."""
    certificate, key = tls or (None, None)
    return uvicorn.Config(
        App(service),
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=300,
        timeout_graceful_shutdown=2,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )


async def serve(
    service: Service, listener: socket.socket, tls: tuple[Path, Path] | None, on_ready: Callable[[], None]
) -> None:
    """Answers requests until SIGTERM or SIGINT.

    Args:
        service: The account.
        listener: A listening socket.
        tls: Files of a certificate and its key, or None for plain http.
        on_ready: Called once requests are answered.
    """
    stop = stop_event()
    server = _Server(configuration(service, tls), on_ready)
    purging = asyncio.create_task(_purge(service.rows))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((purging, serving, stopping), return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.should_exit = True
        purging.cancel()
        stopping.cancel()
        await serving
        with contextlib.suppress(asyncio.CancelledError):
            await purging


async def _purge(rows: Rows) -> None:
    while True:
        # One batch at a time, so that nobody waits for many lifetimes that end together.
        try:
            more = rows.purge()
        except sqlite3.OperationalError as error:
            logger.error("Items whose lifetime is over stay for now: %s", error)  # noqa: TRY400  no bug
            more = 0
        await asyncio.sleep(0 if more else _PURGE_EVERY_SECONDS)
