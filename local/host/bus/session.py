"""Sessions: each receiver holds one session at a time and works on its messages in order."""

from azure.servicebus import ServiceBusReceivedMessage
from azure.servicebus.aio import ServiceBusReceiver
from azure.servicebus.exceptions import OperationTimeoutError, SessionLockLostError

from local.host.bus.listener import BusListener
from local.host.bus.lock import kept

# How long a receiver waits at the broker for any session before it asks again.
_ACCEPT_SECONDS = 30.0


class SessionListener(BusListener):
    """Holds up to `maxConcurrentSessions` sessions of one function, one message or batch of each at a time."""

    def start(self) -> None:
        """Starts all receivers; those without a session wait at the broker."""
        for _ in range(self.options.max_concurrent_sessions):
            self._spawn(self._slot())

    async def _slot(self) -> None:
        while not self._stopping.is_set():
            async with self._tried():
                try:
                    async with self._open(session_wait_seconds=_ACCEPT_SECONDS) as receiver:
                        if receiver is not None:
                            await self._hold(receiver)
                except OperationTimeoutError:
                    # The broker has answered that no session is free: ask again.
                    self._outage.over()
                except SessionLockLostError:
                    # This session went to somebody else: ask for the next.
                    continue

    async def _hold(self, receiver: ServiceBusReceiver) -> None:
        """Works on one session until it has been idle for a while."""
        session = receiver.session
        async with kept(
            session.renew_lock,
            session.locked_until_utc,
            most_seconds=float("inf"),
            what=f"session {session.session_id}",
        ):
            while not self._stopping.is_set():
                messages = await self._receive(self._next(receiver))
                if not messages:
                    return
                await self._work(receiver, messages)

    async def _next(self, receiver: ServiceBusReceiver) -> list[ServiceBusReceivedMessage]:
        count = self.options.max_message_batch_size if self._many else 1
        return await receiver.receive_messages(max_message_count=count, max_wait_time=self.options.session_idle_seconds)

    async def _work(self, receiver: ServiceBusReceiver, messages: list[ServiceBusReceivedMessage]) -> None:
        success = False
        try:
            success = await self._run(messages, many=self._many)
        finally:
            for message in messages:
                await self._settle(receiver, message, success=success)
