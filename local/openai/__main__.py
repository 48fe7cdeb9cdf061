"""`python -m local.openai`: starts the service."""

import argparse
import asyncio
import contextlib
import gc
import logging
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from local import wire
from local.openai.app import Application
from local.openai.config import DEFAULT_FILE, read_file
from local.openai.service import Service

_DESCRIPTION = """\
Azure OpenAI on this machine: chat completions and embeddings over Azure's own REST and SSE wire, with its quota
arithmetic, its rate limit headers and its faults. Answers come from the passages in the prompt; no model is needed.
"""
_EPILOG = """\
example:
  python -m local.openai --port 9000 --seed 7

  curl http://127.0.0.1:9000/openai/v1/chat/completions -H 'api-key: local-openai-key' \\
    -H 'content-type: application/json' \\
    -d '{"model": "chat-sweden", "messages": [{"role": "user", "content": "Hello"}], "stream": true}'

  # the next three calls to chat-sweden get a 429
  curl http://127.0.0.1:9000/_sim/faults -d '{"deployment": "chat-sweden", "kind": "quota", "count": 3}'

  # what happened
  curl http://127.0.0.1:9000/_sim/account

Accounts (regions) have a base address of their own: http://127.0.0.1:9000/sweden/openai/v1/...
local/openai/COVERAGE.md says what is covered and what is not.
"""


class _Server(uvicorn.Server):
    """Leaves the signals to the service, so that a stop is clean and ends with code 0."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answering = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answering.set()


def _options() -> argparse.Namespace:
    parser = wire.options("local.openai", _DESCRIPTION, port=9000, epilog=_EPILOG)
    parser.add_argument(
        "--config",
        type=Path,
        default=DEFAULT_FILE,
        metavar="FILE",
        help="accounts and deployments (default: local/openai/deployments.json)",
    )
    parser.add_argument("--key", default="local-openai-key", help="key that callers must send (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="seed of latencies and answers (default: %(default)s)")
    parser.add_argument(
        "--token-window-seconds",
        type=_positive,
        default=60.0,
        metavar="SECONDS",
        help="length of the minute in which tokens_per_minute tokens are admitted; shorter for tests (default: 60)",
    )
    parser.add_argument(
        "--keep-calls",
        type=_count,
        default=1_000_000,
        metavar="N",
        help="how many calls the account keeps, about 200 bytes each (default: %(default)s)",
    )
    parser.add_argument(
        "--max-body-bytes",
        type=_count,
        default=4 * 1024 * 1024,
        metavar="BYTES",
        help="largest request body, 413 above it (default: %(default)s)",
    )
    return parser.parse_args()


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value <= 86_400:
        raise argparse.ArgumentTypeError("must be above 0 and at most 86400")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


async def _serve(service: Service, listener: socket.socket, options: argparse.Namespace) -> None:
    server = _Server(
        uvicorn.Config(
            Application(service),
            http="httptools",
            loop="none",
            ws="none",
            lifespan="off",
            interface="asgi3",
            access_log=False,
            server_header=False,
            log_config=None,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=2,
        )
    )
    stop = wire.stop_event()
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    answering = asyncio.create_task(server.answering.wait())
    await asyncio.wait([serving, answering], return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        answering.cancel()
        await serving
        return
    port = listener.getsockname()[1]
    host = f"[{options.host}]" if ":" in options.host else options.host
    names = [running.deployment.key for running in service.running]
    wire.announce(
        "Azure OpenAI",
        url=f"http://{host}:{port}",
        port=port,
        ready_file=options.ready_file,
        details={"deployments": names},
    )
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.cancel()
    await serving


def main() -> None:
    """Reads the options, loads what is needed and serves until a signal comes."""
    options = _options()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    with wire.plain_errors():
        service = Service(
            read_file(options.config),
            key=options.key,
            seed=options.seed,
            window_seconds=options.token_window_seconds,
            keep_calls=options.keep_calls,
            most_body_bytes=options.max_body_bytes,
        )
    listener = wire.listen(options.host, options.port)
    gc.freeze()
    if sys.platform == "win32":
        asyncio.run(_serve(service, listener, options))
        return
    import uvloop  # noqa: PLC0415 - there is none for Windows

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(service, listener, options))


if __name__ == "__main__":
    main()
