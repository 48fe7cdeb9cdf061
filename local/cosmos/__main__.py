"""Starts the service: `python -m local.cosmos`."""

import argparse
import contextlib
import gc
import sys
from functools import partial
from pathlib import Path

import uvloop

from local.cosmos.auth import DEFAULT_KEY
from local.cosmos.certificate import certificate_in
from local.cosmos.data_folder import data_folder
from local.cosmos.partitioning import RANGES_LIMIT
from local.cosmos.server import serve
from local.cosmos.service import build_service
from local.wire import announce, listen, options, plain_errors

DESCRIPTION = """\
Azure Cosmos DB (NoSQL API) on this machine: the REST protocol that the official SDKs speak, over SQLite.

Clients connect to the address it prints, with the key they were given. What is covered and what is not is in
COVERAGE.md beside the source."""
EPILOG = """\
example:
  python -m local.cosmos --port 8081 --data .data/cosmos --ranges 4

  from azure.cosmos import CosmosClient
  client = CosmosClient("http://127.0.0.1:8081", "<the key above, or the emulators' well-known key>")

faults on purpose (no real account has this):
  curl -X POST http://127.0.0.1:8081/_sim/faults -d '{"status": 429, "count": 2, "retry_after_ms": 150}'
  curl http://127.0.0.1:8081/_sim/account"""
_SWITCH_SECONDS = 0.001


def _arguments() -> argparse.Namespace:
    parser = options("local.cosmos", DESCRIPTION, port=8081, epilog=EPILOG)
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="keep the data here (default: a temporary folder, gone at the end)"
    )
    parser.add_argument(
        "--key", default=DEFAULT_KEY, help="account key, base64 (default: the emulators' well-known key)"
    )
    parser.add_argument(
        "--ranges",
        type=int,
        default=1,
        metavar="N",
        help=f"physical partitions of every container, 1 to {RANGES_LIMIT} (default: %(default)s)",
    )
    parser.add_argument(
        "--https", action="store_true", help="serve TLS with a self-made certificate, kept with the data"
    )
    parser.add_argument(
        "--accept-tokens",
        action="store_true",
        help="accept well-formed, unexpired bearer tokens for this account; their signatures are NOT verified",
    )
    arguments = parser.parse_args()
    if not 1 <= arguments.ranges <= RANGES_LIMIT:
        parser.error(f"--ranges must be from 1 to {RANGES_LIMIT}")
    return arguments


def main() -> None:
    """Reads the options and serves until told to stop."""
    arguments = _arguments()
    # Large queries run in threads; a short switch interval lets small requests pass between their steps.
    sys.setswitchinterval(_SWITCH_SECONDS)
    with contextlib.ExitStack() as stack:
        with plain_errors():
            folder = stack.enter_context(data_folder(arguments.data))
            service = build_service(
                folder / "cosmos.sqlite",
                durable=arguments.data is not None,
                key=arguments.key,
                ranges=arguments.ranges,
                accept_tokens=arguments.accept_tokens,
            )
        stack.callback(service.close)
        tls = certificate_in(folder) if arguments.https else None
        listener = listen(arguments.host, arguments.port)
        port = listener.getsockname()[1]
        url = f"{'https' if tls else 'http'}://{arguments.host}:{port}"
        ready = partial(announce, "Cosmos DB", url=url, port=port, ready_file=arguments.ready_file)
        # A full collection over all that was imported would hold up every request.
        gc.freeze()
        uvloop.run(serve(service, listener, tls, ready))


if __name__ == "__main__":
    main()
