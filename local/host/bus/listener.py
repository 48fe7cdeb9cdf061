"""What all kinds of Service Bus listeners share: connecting, receiving until told to stop, running, settling."""

import asyncio
import contextlib
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any

from azure.core.exceptions import AzureError
from azure.servicebus import ServiceBusReceivedMessage
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver

from local.host.app.functions import Function
from local.host.app.invocation import NO_TRACE, Invoker
from local.host.bus.entity import Entity
from local.host.bus.message import argument_for, trace_of
from local.host.bus.outage import Outage
from local.host.bus.remains import REMAINS
from local.host.hostjson import ServiceBusOptions

_logger = logging.getLogger(__name__)
# A call that has waited so long asks anew; the SDK's own bound is 60 s.
RECEIVE_SECONDS = 30.0
_KEEP_ALIVE_SECONDS = 90


class BusListener(ABC):
    """Receives for one function on one instance.

    A receiver is never asked to receive and to settle at the same time: the SDK reads and writes a connection in turn,
    so that a settlement would wait for up to 0.2 s behind an idle read. Each piece of concurrency therefore has a
    receiver, and with it a connection, of its own.
    """

    def __init__(
        self, function: Function, entity: Entity, client: ServiceBusClient, options: ServiceBusOptions, invoker: Invoker
    ) -> None:
        """Does not connect yet, see `start`."""
        self.function = function
        self.entity = entity
        self.options = options
        self._client = client
        self._invoker = invoker
        self._outage = Outage(function.name, str(entity))
        self._tasks: set[asyncio.Task[None]] = set()
        self._receiving: set[asyncio.Task[Any]] = set()
        self._stopping = asyncio.Event()
        self._many = is_many(function)
        own = function.trigger.get("autoCompleteMessages")
        self._auto_complete = options.auto_complete_messages if own is None else bool(own)

    @abstractmethod
    def start(self) -> None:
        """Starts the first receivers."""

    async def stop_receiving(self) -> None:
        """Takes no further message; what has been received goes on."""
        self._stopping.set()
        while self._receiving:
            # Python 3.11's wait_for can lose a cancellation that arrives together with a result.
            for task in self._receiving:
                task.cancel()
            await asyncio.wait(self._receiving, timeout=0.5)

    async def drain(self) -> None:
        """Waits for the messages that are being worked on."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def cancel(self) -> None:
        """Cancels what is still running; its messages are abandoned."""
        for task in self._tasks:
            task.cancel()
        await self.drain()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _receive(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Awaits something that `stop_receiving` may cancel; None when it did."""
        task = asyncio.create_task(work)
        self._receiving.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            if not self._stopping.is_set() or not task.cancelled():
                task.cancel()
                raise
            return None
        finally:
            self._receiving.discard(task)

    @contextlib.asynccontextmanager
    async def _open(self, *, session_wait_seconds: float = 60) -> AsyncIterator[ServiceBusReceiver | None]:
        """An open receiver, or None when stopping came first; closed at the end."""
        receiver = self.entity.receiver(self._client, session_wait_seconds=session_wait_seconds)
        try:
            opened = await self._receive(receiver.__aenter__())
            if opened is not None:
                listen_rarely(receiver)
                self._outage.over()
            yield opened
        finally:
            with contextlib.suppress(AzureError, OSError):
                # The connection may be what has just failed.
                await receiver.close()
            REMAINS.left()

    @contextlib.asynccontextmanager
    async def _tried(self) -> AsyncIterator[None]:
        """Ends the block quietly when the broker cannot be reached, after the pause that is due then."""
        try:
            yield
        except (AzureError, OSError) as error:
            await self._pause(self._outage.failed(error))
        except Exception as error:
            # A receiver that dies of a surprise would leave the function without messages for good.
            _logger.exception("Receiving for %s failed unexpectedly.", self.function.name)
            await self._pause(self._outage.failed(error))

    async def _pause(self, seconds: float) -> None:
        """Waits, but not beyond the wish to stop."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _run(self, messages: Sequence[ServiceBusReceivedMessage], *, many: bool) -> bool:
        """Runs the function on received messages; returns whether it succeeded."""
        try:
            argument = argument_for(self.function, messages, many=many)
        except (ValueError, TypeError) as error:
            _logger.error("Function %s cannot take a message: %s", self.function.name, error)  # noqa: TRY400  no bug
            return False
        trace = NO_TRACE if many else trace_of(messages[0])
        return await self._invoker.succeeds(self.function, argument, trace)

    async def _settle(self, receiver: ServiceBusReceiver, message: ServiceBusReceivedMessage, *, success: bool) -> None:
        """Completes or abandons a message; one that cannot be settled comes again."""
        try:
            if not success:
                await receiver.abandon_message(message)
            elif self._auto_complete:
                await receiver.complete_message(message)
        except (AzureError, ValueError, OSError) as error:
            _logger.warning(
                "Function %s: message %s could not be settled and will be delivered again: %s",
                self.function.name,
                message.message_id,
                error,
            )


def listen_rarely(receiver: ServiceBusReceiver) -> None:
    """Lets the SDK keep an idle link alive every 90 s, not every 5.

    What arrives while it listens for that, beside a receive, is seen up to 0.2 s late: one message in a hundred. The
    real host's .NET library knows no such wait. Without prefetching the SDK (7.15) has no option for this.
    """
    receiver._handler._keep_alive_interval = _KEEP_ALIVE_SECONDS  # noqa: SLF001


def is_many(function: Function) -> bool:
    """Whether a Service Bus function takes batches."""
    return str(function.trigger.get("cardinality", "one")).lower() == "many"
