"""What every local service does at its edge: options, listening, saying that it is ready, stopping cleanly."""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"


def options(program: str, description: str, *, port: int, epilog: str = "") -> argparse.ArgumentParser:
    """A parser with the options that all local services share."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {program}",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default=LOOPBACK, help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=int, default=port, help="port to listen on, 0 picks a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--ready-file",
        type=Path,
        metavar="FILE",
        help="write a JSON object with port, pid and url here once requests are answered",
    )
    return parser


def listen(host: str, port: int, *, share: bool = False) -> socket.socket:
    """Binds and listens at once, so that the port is known before the service starts.

    Args:
        host: Address to bind.
        port: Port to bind, 0 for a free one.
        share: Lets several processes accept on the same port (SO_REUSEPORT).

    Raises:
        SystemExit: The port is taken; the message says so and what to do.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if share:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SystemExit(
            f"Cannot listen on {host}:{port}: {error.strerror}. Choose another --port, or 0 for a free one."
        ) from error
    listener.listen(1024)
    listener.setblocking(False)
    return listener


def announce(
    service: str, *, url: str, port: int, ready_file: Path | None, details: dict[str, Any] | None = None
) -> None:
    """Says on standard output, and in the ready file when asked, that the service answers."""
    print(f"{service} is ready on {url}", flush=True)
    if ready_file is not None:
        ready = {"service": service, "url": url, "port": port, "pid": os.getpid(), **(details or {})}
        partial = ready_file.with_name(ready_file.name + ".partial")
        partial.write_text(json.dumps(ready), encoding="utf-8")
        partial.replace(ready_file)


def stop_event() -> asyncio.Event:
    """An event that SIGINT and SIGTERM set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """Turns a mistake in a configuration file into one line for the person who reads it."""
    try:
        yield
    except (FileNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from error
