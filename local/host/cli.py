"""The command line of the local Functions host."""

import argparse
import asyncio
import json
import logging
import os
import sys
import uuid
from pathlib import Path
from typing import TextIO

import uvloop

from local import wire
from local.host import hostjson, settings
from local.host.app import loader
from local.host.errors import HostError
from local.host.process import instance, supervisor
from local.host.process.options import InstanceOptions
from local.host.process.supervisor import SupervisorOptions
from local.host.web import keys

# Libraries that tell their own stories; what matters of them is told by this host.
_OTHERS = (
    ("asyncio", logging.WARNING),
    ("azure", logging.WARNING),
    ("azure.servicebus", logging.ERROR),
    ("uvicorn", logging.WARNING),
)
_DESCRIPTION = """\
Runs the functions of an Azure Functions app (Python v2 programming model) on this machine: HTTP triggers with true
streaming, Service Bus triggers and timers. The app is imported as the platform imports it and sees what it sees there.

Without --instances everything runs in this one process. With it, each instance is a process of its own, and one that
ends is started again."""

_EPILOG = """\
examples:
  python -m local.host --app . --settings local.settings.json
  python -m local.host --app . --keys keys.json --instances http=2 --instances function:answer_interactive=1
  python -m local.host --app . --functions answer_batch --verbose

key file:
  {"master": "...", "default": "...", "functions": {"name": {"default": "..."}}}
"""


def main() -> None:
    """Parses the options and runs until stopped; exits with 1 when the app cannot be run."""
    options = _parser().parse_args()
    _forget_working_folder()
    _log(options.verbose, options.label, sys.stderr if options.list else sys.stdout)
    try:
        _run(options)
    except HostError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from error


def _parser() -> argparse.ArgumentParser:
    parser = wire.options("local.host", _DESCRIPTION, port=7071, epilog=_EPILOG)
    app = parser.add_argument_group("the app")
    app.add_argument(
        "--app", type=Path, default=Path(), help="folder with function_app.py and host.json (default: this folder)"
    )
    app.add_argument("--settings", type=Path, metavar="FILE", help="a local.settings.json; the environment wins")
    app.add_argument(
        "--keys", type=Path, metavar="FILE", help="function keys as JSON (default: nobody has to present a key)"
    )
    app.add_argument("--functions", metavar="A,B", help="run only these functions (default: all)")
    app.add_argument("--ignore-unsupported", action="store_true", help="leave out functions that this host cannot run")
    app.add_argument("--list", action="store_true", help="print the app's functions as JSON and exit")
    scale = parser.add_argument_group("instances")
    scale.add_argument(
        "--instances",
        action="append",
        default=[],
        metavar="SPEC",
        help="N: so many instances that run everything; http=N or function:NAME=N, repeatable: so many of that group, "
        "one of every other group",
    )
    scale.add_argument("--no-restart", action="store_true", help="do not start an instance again that has ended")
    scale.add_argument(
        "--share-port", action="store_true", help="let others listen on the port too, and listen on a port of its own"
    )
    scale.add_argument("--parent", type=int, metavar="PID", help="stop when this is not the parent process any more")
    run = parser.add_argument_group("running")
    run.add_argument(
        "--drain-seconds",
        type=float,
        default=30.0,
        metavar="S",
        help="how long running invocations may go on after SIGTERM (default: %(default)g)",
    )
    run.add_argument(
        "--data",
        type=Path,
        default=Path(".data/host"),
        metavar="FOLDER",
        help="folder for the state of timers (default: %(default)s)",
    )
    run.add_argument("--verbose", action="store_true", help="log every invocation")
    run.add_argument("--label", default="", help="put this before every log line")
    return parser


def _run(options: argparse.Namespace) -> None:
    if options.settings is not None:
        settings.load(options.settings)
    os.environ.setdefault("WEBSITE_INSTANCE_ID", uuid.uuid4().hex)
    if options.list:
        uvloop.run(_list(options.app.resolve(), ignore_unsupported=options.ignore_unsupported))
    elif options.instances:
        asyncio.run(supervisor.run(_supervisor_options(options)))
    else:
        prepared = _instance_options(options)
        os.chdir(prepared.app)
        if not uvloop.run(instance.run(prepared)):
            # The interpreter would wait for the threads; the time to drain is over.
            logging.shutdown()
            os._exit(0)


async def _list(app: Path, *, ignore_unsupported: bool) -> None:
    functions = loader.load(app, ignore_unsupported=ignore_unsupported)
    listed = [
        {"name": function.name, "kind": function.kind, "bindings": [json.loads(text) for text in function.raw_bindings]}
        for function in functions
    ]
    print(json.dumps(listed))


def _instance_options(options: argparse.Namespace) -> InstanceOptions:
    app = options.app.resolve()
    return InstanceOptions(
        app=app,
        host_json=hostjson.read(app),
        instance_id=os.environ["WEBSITE_INSTANCE_ID"],
        address=options.host,
        port=options.port,
        share_port=options.share_port,
        only=frozenset(options.functions.split(",")) if options.functions else None,
        keys=keys.read(options.keys) if options.keys is not None else None,
        ignore_unsupported=options.ignore_unsupported,
        drain_seconds=options.drain_seconds,
        data=options.data.resolve(),
        ready_file=options.ready_file.resolve() if options.ready_file is not None else None,
        parent=options.parent,
    )


def _supervisor_options(options: argparse.Namespace) -> SupervisorOptions:
    if options.functions:
        raise HostError("--functions and --instances exclude each other: groups say what each instance runs.")
    hostjson.read(options.app.resolve())
    app_arguments = ["--app", str(options.app)]
    if options.ignore_unsupported:
        app_arguments.append("--ignore-unsupported")
    run_arguments = ["--drain-seconds", str(options.drain_seconds), "--data", str(options.data)]
    if options.keys is not None:
        keys.read(options.keys)
        run_arguments += ["--keys", str(options.keys)]
    if options.verbose:
        run_arguments.append("--verbose")
    return SupervisorOptions(
        requests=options.instances,
        app_arguments=app_arguments,
        run_arguments=run_arguments,
        address=options.host,
        port=options.port,
        restart=not options.no_restart,
        drain_seconds=options.drain_seconds,
        ready_file=options.ready_file,
    )


def _forget_working_folder() -> None:
    """Takes back what `python -m` has put first on the path: the worker sees the app's folder only, as the last."""
    if not sys.flags.safe_path and Path(sys.path[0]).resolve() == Path.cwd():
        del sys.path[0]


def _log(verbose: bool, label: str, stream: TextIO) -> None:
    for name, level in _OTHERS:
        logging.getLogger(name).setLevel(level)
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format=f"%(asctime)s {label + ' ' if label else ''}%(levelname)-7s %(name)s: %(message)s",
        stream=stream,
    )
