"""The running service: connections, turns of the event loop, and time."""

import asyncio
import socket
from collections.abc import Callable
from functools import partial

from local.servicebus.amqp.connection import Connection, Limits
from local.servicebus.broker.broker import Broker
from local.servicebus.nodes.client import Client

GOODBYE_SECONDS = 1.0


class Server:
    """Serves a broker to AMQP clients.

    Everything that happens in one turn of the event loop is one turn of the broker: frames are read and handled,
    queues deliver, the journal commits once, and only then is anything written to a client.

    When the journal cannot be written, nothing more is: clients are cut off without the answers that wait for them.

    Attributes:
        failure: What ended the service when it could not go on, for example a full disk.
    """

    def __init__(self, broker: Broker, key: str, limits: Limits, clock: Callable[[], float]) -> None:
        self.failure: Exception | None = None
        self._broker = broker
        self._key = key
        self._limits = limits
        self._clock = clock
        self._connections: set[Connection] = set()
        self._touched: set[Connection] = set()
        self._turn: asyncio.Handle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._wakes_at: float | None = None
        self._failed = asyncio.Event()

    async def run(self, listener: socket.socket, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        """Serves until `stop` is set.

        Raises:
            Exception: Whatever made it impossible to keep what was accepted.
        """
        self._loop = asyncio.get_running_loop()
        server = await self._loop.create_server(self._connect, sock=listener)
        self._plan()
        ready()
        waits = [asyncio.ensure_future(event.wait()) for event in (stop, self._failed)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        server.close()
        self._finish_turn()
        if self.failure is None:
            await self._say_goodbye()
        for connection in self._connections:
            connection.abort()
        if self.failure is not None:
            raise self.failure

    async def _say_goodbye(self) -> None:
        """Tells every client, and gives it a little time to read that."""
        for connection in list(self._connections):
            connection.stop()
        until = self._loop.time() + GOODBYE_SECONDS
        while self._connections and self._loop.time() < until:
            self._connections = {connection for connection in self._connections if not connection.is_lost}
            await asyncio.sleep(0.01)

    def _connect(self) -> Connection:
        connection = Connection(partial(Client, self._broker, self._key, self._clock), self._touch, self._limits)
        self._connections.add(connection)
        return connection

    def _touch(self, connection: Connection) -> None:
        self._touched.add(connection)
        self._request_turn()

    def _request_turn(self) -> None:
        if self._turn is None:
            self._turn = self._loop.call_soon(self._finish_turn)

    def _finish_turn(self) -> None:
        self._turn = None
        if self.failure is not None:
            return
        try:
            self._broker.finish_turn()
        except Exception as error:  # noqa: BLE001  # whatever it is, nothing may be acknowledged: run() raises it
            self.failure = error
            self._failed.set()
            return
        touched, self._touched = self._touched, set()
        for connection in touched:
            connection.flush()
            if connection.is_lost:
                self._connections.discard(connection)
        self._plan()

    def _plan(self) -> None:
        """Sets the timer for what is due next."""
        at = self._broker.next_deadline()
        if at == self._wakes_at and self._timer is not None:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._wakes_at = at
        if at is not None:
            self._timer = self._loop.call_later(max(at - self._clock(), 0) + 0.001, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._broker.tick()
        self._request_turn()
