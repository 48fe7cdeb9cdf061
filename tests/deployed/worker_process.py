"""Microsoft's worker for Python 3.13 with an app, and the part of the host that the worker needs.

Run as a script by the interpreter of the deployed environment, in the folder of the app. On Azure the host talks to a
proxy in its image, which hands each message to the package azure-functions-runtime; the proxy is not published, so this
script hands over the messages. Everything else is the package: indexing, the HTTP server, invocations.

First line out: what the worker found and the address of its HTTP server. Then for each line in,
`{"function": name, "invocation": id, "route": {}}`, a line out with the result of that invocation.
"""

import asyncio
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any


class Message(SimpleNamespace):
    """A protocol message: fields as given, nothing else."""

    out, inout, undefined, Failure, Success = 1, 2, 0, "Failure", "Success"


class Field(SimpleNamespace):
    """A message of which one field is set, as protobuf's `oneof` has it."""

    def WhichOneof(self, _: str) -> str:  # noqa: N802  as protobuf names it
        """The field that is set."""
        return next(iter(vars(self)))


def say(message: dict[str, Any]) -> None:
    """Writes one line."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


class Host:
    """What the host sends to the worker."""

    def __init__(self, folder: str) -> None:
        from azure_functions_runtime import handle_event

        self._worker, self._folder = handle_event, folder
        names = ("BindingInfo", "RpcFunctionMetadata", "RpcRetryOptions", "RpcException", "StatusResult")
        names += ("WorkerInitResponse", "WorkerMetadata", "FunctionMetadataResponse", "InvocationResponse")
        self._properties = {"host": "127.0.0.1", "protos": SimpleNamespace(**dict.fromkeys(names, Message))}
        self._ids: dict[str, str] = {}

    def _message(self, name: str, **fields: Any) -> Any:
        return SimpleNamespace(request=SimpleNamespace(**{name: Message(**fields)}), properties=self._properties)

    async def begin(self) -> None:
        """Has the worker load the app and start its HTTP server."""
        import azure.functions
        from azure_functions_runtime.version import VERSION

        answer = await self._worker.worker_init_request(
            self._message("worker_init_request", capabilities={}, function_app_directory=self._folder)
        )
        if answer.result.status != "Success":
            raise SystemExit(answer.result.exception.stack_trace)
        found = (await self._worker.functions_metadata_request(None)).function_metadata_results
        self._ids = {one.name: one.function_id for one in found}
        await self._connected(answer.capabilities["HttpUri"])
        say(
            {
                "url": answer.capabilities["HttpUri"],
                "functions": sorted(self._ids),
                "worker": VERSION,
                "library": azure.functions.__version__,
                "python": list(sys.version_info[:2]),
                "app": str(Path(sys.modules["function_app"].__file__ or "").parent),
            }
        )

    async def _connected(self, url: str) -> None:
        """Returns when the server listens; it starts in the background, so that the host tries again at first, too."""
        address = url.removeprefix("http://").split(":")
        while True:
            try:
                _, writer = await asyncio.open_connection(address[0], int(address[1]))
            except ConnectionRefusedError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return

    async def invoke(self, function: str, invocation: str, route: dict[str, str]) -> None:
        """Invokes an HTTP function whose request arrives at the worker's server with the invocation's id."""
        http = Field(http=Message(method="", url="", headers={}, params=route, query={}, body=Field(bytes=b"")))
        nothing = Message(trace_parent="", trace_state="", attributes={})
        answer = await self._worker.invocation_request(
            self._message(
                "invocation_request",
                invocation_id=invocation,
                function_id=self._ids[function],
                input_data=[SimpleNamespace(name="req", data=http, WhichOneof=lambda _: "data")],
                trigger_metadata={},
                trace_context=nothing,
                retry_context=Message(retry_count=0, max_retry_count=0, exception=None),
            )
        )
        failure = getattr(answer.result, "exception", None)
        say({"invocation": invocation, "status": answer.result.status, "failure": failure and failure.message})


async def main() -> None:
    """Serves until the input ends."""
    host = Host(str(Path.cwd()))
    await host.begin()
    running = set()
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        running.add(asyncio.create_task(host.invoke(**json.loads(line))))


# As the platform has it: the app's folder last.
sys.path[0:1] = []
sys.path.append(str(Path.cwd()))
asyncio.run(main())
