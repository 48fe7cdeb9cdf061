"""`python -m local.servicebus`: reads the options, starts the service, stops it cleanly."""

import argparse
import asyncio
import logging
import socket
import sqlite3
import time
from pathlib import Path

from local import wire
from local.servicebus.amqp.connection import Limits
from local.servicebus.broker.broker import Broker, entity_names
from local.servicebus.broker.journal import NoJournal
from local.servicebus.broker.settings import QueueSettings
from local.servicebus.config import DEFAULT_FILE, load_queues
from local.servicebus.control import Control
from local.servicebus.journal.recovery import recover
from local.servicebus.journal.schema import open_file
from local.servicebus.journal.writer import JournalWriter
from local.servicebus.server import Server

MEGABYTE = 1024 * 1024
DEFAULT_KEY = "SAS_KEY_VALUE"
DESCRIPTION = """Azure Service Bus queues on loopback, over AMQP 1.0.

The official SDKs connect with UseDevelopmentEmulator=true. Queues are declared in a file in the format of the
Service Bus emulator's Config.json. With --data, accepted messages survive a crash; without it, everything is in
memory."""
EPILOG = """example:
  python -m local.servicebus --port 5672 --config local/queues.json --data .data/servicebus

connection string:
  Endpoint=sb://localhost:5672;SharedAccessKeyName=RootManageSharedAccessKey;\
SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true"""


def main() -> None:
    """Runs the service until SIGINT or SIGTERM."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    arguments = _parser().parse_args()
    with wire.plain_errors():
        queues = load_queues(arguments.config, arguments.max_queue_megabytes * MEGABYTE)
        listener = wire.listen(arguments.host, arguments.port)
        if arguments.data is None:
            asyncio.run(_serve(arguments, listener, Broker(queues, NoJournal(), time.time)))
        else:
            _serve_with_journal(arguments, listener, queues)


def _serve_with_journal(arguments: argparse.Namespace, listener: socket.socket, queues: list[QueueSettings]) -> None:
    connection = open_file(arguments.data, arguments.sync)
    try:
        journal = JournalWriter(connection, entity_names(queues))
        broker = Broker(queues, journal, time.time)
        recover(broker, connection)
        journal.commit()
        asyncio.run(_serve(arguments, listener, broker))
    except sqlite3.Error as error:
        raise SystemExit(f"The journal in {arguments.data} cannot be written: {error}. The service stops.") from error
    finally:
        connection.close()


async def _serve(arguments: argparse.Namespace, listener: socket.socket, broker: Broker) -> None:
    port = listener.getsockname()[1]
    limits = Limits(
        max_message_bytes=arguments.max_message_bytes,
        idle_timeout_seconds=arguments.idle_timeout_seconds,
        link_idle_seconds=arguments.link_idle_seconds,
    )
    server = Server(broker, arguments.key, limits, time.time)

    details: dict[str, str] = {}
    if arguments.control_port is not None:
        control = wire.listen(wire.LOOPBACK, arguments.control_port)
        details["control_url"] = f"http://{wire.LOOPBACK}:{control.getsockname()[1]}"
        await Control(broker).serve(control)

    def ready() -> None:
        url = f"sb://{arguments.host}:{port}"
        wire.announce("servicebus", url=url, port=port, ready_file=arguments.ready_file, details=details)

    await server.run(listener, wire.stop_event(), ready)


def _parser() -> argparse.ArgumentParser:
    parser = wire.options("local.servicebus", DESCRIPTION, port=5672, epilog=EPILOG)
    parser.add_argument(
        "--config", type=Path, default=DEFAULT_FILE, metavar="FILE", help="queues to declare (default: %(default)s)"
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder for the journal (default: none, messages live in memory)"
    )
    parser.add_argument(
        "--sync",
        choices=("normal", "full"),
        default="normal",
        help="what the journal survives: normal a crash of this process, full also one of the machine, "
        "at the price of a disk flush per turn (default: %(default)s)",
    )
    parser.add_argument(
        "--key", default=DEFAULT_KEY, help="shared access key that tokens are signed with (default: %(default)s)"
    )
    parser.add_argument(
        "--max-message-bytes",
        type=_positive,
        default=256 * 1024,
        metavar="BYTES",
        help="largest message or batch (default: %(default)s, as in the Standard tier)",
    )
    parser.add_argument(
        "--max-queue-megabytes",
        type=_positive,
        default=1024,
        metavar="MB",
        help="a queue that holds this much refuses messages (default: %(default)s)",
    )
    parser.add_argument(
        "--idle-timeout-seconds",
        type=_positive,
        default=240,
        metavar="SECONDS",
        help="announced to clients; a connection silent for twice as long is closed (default: %(default)s)",
    )
    parser.add_argument(
        "--link-idle-seconds",
        type=_positive,
        default=600,
        metavar="SECONDS",
        help="a link to a queue that nothing was sent over for so long is detached (default: %(default)s, as in Azure)",
    )
    parser.add_argument(
        "--control-port",
        type=int,
        metavar="PORT",
        help="answer GET /_sim/account with counts of operations here, on loopback; 0 picks a port (default: none)",
    )
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


if __name__ == "__main__":
    main()
