"""`python -m evals.stand_in`: the judge for machines without a model."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn

from evals.stand_in.service import application
from local.wire import announce, listen, options, stop_event

DESCRIPTION = """\
Judges answers by the words they share with question, reference and sources, over the chat completions protocol. It
lets an evaluation run without any model. Its grades move the right way, and they are no measure of quality."""
EPILOG = """\
example:
  python -m evals.stand_in --port 9001
"""


class Server(uvicorn.Server):
    """A server that leaves the signals to the service and says when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        """Takes the configuration."""
        super().__init__(config)
        self.answering = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts, and notes it."""
        await super().startup(sockets)
        self.answering.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


async def serve() -> None:
    """Runs until stopped."""
    given = options("evals.stand_in", DESCRIPTION, port=9001, epilog=EPILOG).parse_args()
    listener = listen(given.host, given.port)
    server = Server(uvicorn.Config(application(), log_level="warning", lifespan="off"))
    port = listener.getsockname()[1]
    with contextlib.closing(listener):
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await server.answering.wait()
        stop = stop_event()
        announce("evals.stand_in", url=f"http://{given.host}:{port}", port=port, ready_file=given.ready_file)
        await stop.wait()
        server.should_exit = True
        await serving


if __name__ == "__main__":
    asyncio.run(serve())
