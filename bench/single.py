"""One caller, one question at a time, over a plain socket: what is measured is the server and hardly the caller."""

import gc
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from bench.clients import LAST_CHUNK, Stream, look

TIMEOUT_SECONDS = 60


class Caller:
    """A kept-alive connection to one server."""

    def __init__(self, url: str) -> None:
        """Connects."""
        address = urlsplit(url)
        self._host = address.netloc
        self._socket = socket.create_connection((address.hostname, address.port), TIMEOUT_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, path: str, headers: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        """Asks and reads the streamed answer to its end; see `bench.clients.look`."""
        content = json.dumps(body).encode()
        lines = [f"POST {path} HTTP/1.1", f"host: {self._host}", "content-type: application/json"]
        lines += [f"content-length: {len(content)}", *(f"{name}: {value}" for name, value in headers.items())]
        request = "\r\n".join([*lines, "", ""]).encode() + content
        stream, end = Stream(time.perf_counter()), b""
        self._socket.sendall(request)
        while not end.endswith(LAST_CHUNK):
            data = self._socket.recv(65536)
            stream.parts.append((time.perf_counter(), data))
            if not data:
                raise ConnectionError(f"{path} hung up after {b''.join(part for _, part in stream.parts)[:300]!r}")
            end = (end + data)[-len(LAST_CHUNK) :]
        stream.ended = stream.parts[-1][0]
        seen = look(stream)
        if not seen["complete"]:
            raise AssertionError(f"no whole answer from {path}: {b''.join(part for _, part in stream.parts)[:300]!r}")
        return seen

    def close(self) -> None:
        """Hangs up."""
        self._socket.close()


@contextmanager
def undisturbed() -> Iterator[None]:
    """No garbage collection of this process inside the block: it would count for the server."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def precedence() -> Iterator[bool]:
    """Inside the block this process gets a core the moment it has something to read, as on a machine of its own.

    False where the system does not allow that; then the caller now and then waits for the servers it measures.
    """
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except PermissionError:
        yield False
        return
    try:
        yield True
    finally:
        os.sched_setscheduler(0, *before)
