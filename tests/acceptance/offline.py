"""Run inside a network namespace that has loopback only: answers turns on both paths and prints what it saw."""

import fcntl
import json
import socket
import struct
import sys
from pathlib import Path

from tests.acceptance.stack import Stack, ask

SIOCSIFFLAGS, IFF_UP_RUNNING = 0x8914, 0x41


def loopback_up() -> None:
    with socket.socket() as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14s", b"lo", IFF_UP_RUNNING, b""))


def attempts_to_leave() -> int:
    """Packets that had no route, counted by the kernel for this namespace."""
    names, values = (
        line.split()[1:] for line in Path("/proc/net/snmp").read_text().splitlines() if line.startswith("Ip:")
    )
    return int(dict(zip(names, values, strict=True))["OutNoRoutes"])


def main() -> None:
    loopback_up()
    before = attempts_to_leave()
    stack = Stack(Path(sys.argv[1]))
    try:
        stack.start()
        with stack.client() as client:
            ends = [ask(client, "Hello", lane=lane).names[-1] for lane in ("interactive", "standard")]
    finally:
        stack.stop()
    print(json.dumps({"ends": ends, "attempts": attempts_to_leave() - before}))


if __name__ == "__main__":
    main()
