"""What an instance asks of everything that brings work to functions by itself."""

from typing import Protocol


class Listener(Protocol):
    """Listens for one function: a queue, a subscription, a timer."""

    def start(self) -> None:
        """Starts to bring work."""

    async def stop_receiving(self) -> None:
        """Brings no further work; what is in progress goes on."""

    async def drain(self) -> None:
        """Waits for the work in progress."""

    async def cancel(self) -> None:
        """Cancels the work in progress and waits until it has ended."""
