"""`python -m local.run`: everything on this machine with one command, and what to try first."""

import argparse
import asyncio
import contextlib
import json
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

from local.provision import provision
from local.run.configuration import STORE_KEY, keys, settings
from local.run.folder import FolderInUse, kept_alone
from local.run.processes import ROOT, RunFailed, Stack, port
from local.run.seed import seed
from local.run.telemetry import telemetry_settings
from local.wire import stop_event


def welcome(url: str, secret: dict[str, str], services: dict[str, dict[str, Any]], folder: Path, seconds: float) -> str:
    """What a person wants to know when everything is up."""
    lines = [
        "",
        f"Spillway is ready after {seconds:.1f} s.",
        "",
        f"  Chat page      {url}/api/#key={secret['user']}",
        f"  Console        {url}/api/console#key={secret['operator']}",
        f"  API            {url}/api/openapi.json",
        f"  OpenAI clients export OPENAI_BASE_URL={url}/api/openai/v1 OPENAI_API_KEY={secret['user']}",
        *(f"  {name:<14} {service['url']}" for name, service in services.items()),
        f"  Data and logs  {folder}",
        "",
        "Stream a first answer:",
        "",
        f"  curl -N {url}/api/chat -H 'x-functions-key: {secret['user']}' \\",
        "    -H 'Accept: text/event-stream' -H 'Content-Type: application/json' \\",
        '    -d \'{"message": "What does the RoboVac R1 cost?"}\'',
        "",
        "Ctrl-C stops everything; the data stays for the next time.",
        "",
    ]
    return "\n".join(lines)


async def run(arguments: argparse.Namespace) -> None:
    """Starts everything, waits for Ctrl-C or for a part to end, stops everything.

    Raises:
        RunFailed: Something did not start, or ended by itself.
        FolderInUse: Another run has the data folder.
    """
    began = time.monotonic()
    data = arguments.data.resolve()
    stop = stop_event()
    # A closed terminal window must not leave services behind that hold the data.
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, stop.set)
    with kept_alone(data) as claim, tempfile.TemporaryDirectory(prefix="spillway-") as scratch:
        stack = Stack(data / "logs")
        starting = asyncio.create_task(_start(stack, arguments, data, Path(scratch), began))
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([starting, stopped], return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                claim.says(url=starting.result())
                await _watch(stack, stopped)
        finally:
            starting.cancel()
            with contextlib.suppress(OSError):  # nobody may be reading any more
                print("Stopping ...", flush=True)
            await stack.stop()


async def _watch(stack: Stack, stopped: asyncio.Task[bool]) -> None:
    ended = [asyncio.create_task(process.wait()) for process in stack.processes.values()]
    await asyncio.wait([stopped, *ended], return_when=asyncio.FIRST_COMPLETED)
    if not stopped.done():
        names = [name for name, process in stack.processes.items() if process.returncode is not None]
        raise RunFailed(f"{', '.join(names)} ended unexpectedly; see {stack.folder}")


async def _start(stack: Stack, arguments: argparse.Namespace, data: Path, scratch: Path, began: float) -> str:
    print("Starting local Azure ...", flush=True)
    services = await stack.start_all(
        servicebus=("local.servicebus", "--port", str(port(5672)), "--data", str(data / "servicebus")),
        cosmos=("local.cosmos", "--port", str(port(8081)), "--data", str(data / "cosmos")),
        openai=("local.openai", "--port", str(port(9000))),
        insights=("local.insights", "--port", str(port(9100)), "--data", str(data / "insights")),
    )
    store, insights = services["cosmos"], services["insights"]
    await asyncio.to_thread(provision, store["url"], STORE_KEY, "spillway")
    secret = keys(data)
    environment = settings(services, secret) | telemetry_settings(insights, data / "temporary")
    (data / "settings.json").write_text(json.dumps({"IsEncrypted": False, "Values": environment}, indent=2))
    print("Starting the app ...", flush=True)
    instances = ("--instances", arguments.instances) if arguments.instances else ()
    host = await stack.start(
        "host",
        "local.host",
        *("--app", str(ROOT), "--port", str(port(arguments.port)), "--data", str(scratch), *instances),
        environment=environment,
    )
    count = await asyncio.to_thread(seed, host["url"], secret["operator"], arguments.knowledge)
    print(f"Stored {count} documents of the shop.", flush=True)
    print(welcome(host["url"], secret, services, data, time.monotonic() - began), flush=True)
    return str(host["url"])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m local.run", description="Starts local Azure and the app on this machine."
    )
    parser.add_argument("--port", type=int, default=7071, help="port of the app (default: %(default)s)")
    parser.add_argument("--data", type=Path, default=ROOT / ".data", help="folder that keeps the data")
    parser.add_argument("--instances", help="processes of the app, such as 2 (default: one)")
    parser.add_argument(
        "--knowledge",
        type=Path,
        default=ROOT / "samples" / "wallegpt" / "knowledge.jsonl",
        help="documents to answer from, one JSON object a line (default: %(default)s)",
    )
    try:
        asyncio.run(run(parser.parse_args()))
    except (FolderInUse, RunFailed) as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
