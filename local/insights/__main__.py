"""Command line of the Application Insights stand-in."""

import argparse
import asyncio
import logging
from pathlib import Path

import uvicorn

from local import wire
from local.insights.app import create_app
from local.insights.service import Limits, Service
from local.insights.store import Retention, Store

_DESCRIPTION = """\
Application Insights on loopback: takes telemetry as the Azure Monitor exporters send it and answers KQL over it
through the query API of Application Insights and Log Analytics. COVERAGE.md says what is covered."""

_EPILOG = """\
example:
  python -m local.insights --port 9100 --data .data/insights

  Set APPLICATIONINSIGHTS_CONNECTION_STRING to the line that is printed, then ask:

  curl http://127.0.0.1:9100/v1/apps/local/query -H 'content-type: application/json' \\
    -d '{"query": "requests | summarize count() by resultCode", "timespan": "PT1H"}'
"""

_DEFAULT_KEY = "00000000-0000-0000-0000-000000000000"


def _arguments() -> argparse.Namespace:
    parser = wire.options("local.insights", _DESCRIPTION, port=9100, epilog=_EPILOG)
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep telemetry here (default: in memory only)")
    parser.add_argument(
        "--instrumentation-key", metavar="KEY", help="refuse telemetry with another key (default: any key is taken)"
    )
    parser.add_argument(
        "--retain-hours", type=_positive, default=720.0, help="forget telemetry older than this (default: %(default)s)"
    )
    parser.add_argument(
        "--max-rows",
        type=_count,
        default=5_000_000,
        help="keep at most this many rows per table (default: %(default)s)",
    )
    parser.add_argument(
        "--memory-mb", type=_count, default=1_024, help="memory the store may use (default: %(default)s)"
    )
    parser.add_argument(
        "--body-mb", type=_count, default=16, help="largest body, also after decompression (default: %(default)s)"
    )
    parser.add_argument(
        "--query-seconds", type=_positive, default=30.0, help="longest a query may run (default: %(default)s)"
    )
    parser.add_argument(
        "--query-rows", type=_count, default=500_000, help="most rows a query answers with (default: %(default)s)"
    )
    return parser.parse_args()


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not a number above zero and below a million")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number above zero")
    return value


async def _serve(arguments: argparse.Namespace) -> None:
    listener = wire.listen(arguments.host, arguments.port)
    port = listener.getsockname()[1]
    url = f"http://{arguments.host}:{port}"
    connection_string = (
        f"InstrumentationKey={arguments.instrumentation_key or _DEFAULT_KEY};"
        f"IngestionEndpoint={url}/;LiveEndpoint={url}/"
    )

    def make_service() -> Service:
        return Service(
            Store(arguments.data, memory_mb=arguments.memory_mb),
            retention=Retention(arguments.retain_hours, arguments.max_rows),
            limits=Limits(arguments.body_mb * 1024 * 1024, arguments.query_seconds, arguments.query_rows),
            instrumentation_key=arguments.instrumentation_key,
        )

    def on_ready() -> None:
        wire.announce(
            "Application Insights",
            url=url,
            port=port,
            ready_file=arguments.ready_file,
            details={"connection_string": connection_string},
        )
        print(f"APPLICATIONINSIGHTS_CONNECTION_STRING={connection_string}", flush=True)

    stop = wire.stop_event()
    config = uvicorn.Config(
        create_app(make_service, on_ready), log_level="warning", access_log=False, timeout_graceful_shutdown=5
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.cancel()
    await serving


def main() -> None:
    """Runs the service until it is told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    with wire.plain_errors():
        asyncio.run(_serve(_arguments()))


if __name__ == "__main__":
    main()
