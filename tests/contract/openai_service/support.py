"""What the tests of the local Azure OpenAI service share: its configuration, raw HTTP, the control plane."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from openai import AsyncOpenAI, OpenAI

KEY = "test-key"
INSTANT = {"time_to_first_token_ms": 0, "per_prompt_token_ms": 0, "between_tokens_ms": 0, "spread": 0}


def deployment(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "account": "sweden",
        "model": "gpt-4o-mini",
        "model_version": "2024-07-18",
        "kind": "chat",
        "tier": "standard",
        "tokens_per_minute": 1_000_000,
        "requests_per_minute": 100_000,
        "latency": INSTANT,
        **changes,
    }


CONFIGURATION = {
    "accounts": [{"name": "sweden", "region": "swedencentral"}, {"name": "eastus", "region": "eastus2"}],
    "deployments": [
        deployment("chat"),
        deployment("small", tokens_per_minute=1_000, requests_per_minute=600),
        deployment("narrow", requests_per_minute=60),
        deployment("ptu", tier="provisioned", tokens_per_minute=6_000),
        deployment("slow", latency={**INSTANT, "time_to_first_token_ms": 100, "between_tokens_ms": 20}),
        deployment("twin"),
        deployment("twin", account="eastus"),
        deployment(
            "embeddings", kind="embeddings", model="text-embedding-3-small", model_version="", context_tokens=100
        ),
    ],
}
for _one in CONFIGURATION["deployments"]:
    if not _one["model_version"]:
        del _one["model_version"]

HELLO = [{"role": "user", "content": "Hello"}]
HELLO_ANSWER = "Hello! How can I help you today?"


@dataclass
class Answer:
    """A raw response; `complete` says whether the body ended as its framing promised."""

    status: int
    headers: dict[str, str]
    body: bytes
    complete: bool

    def json(self) -> Any:
        return json.loads(self.body)


class Raw:
    """Requests over a plain socket, so that no client hides or repairs anything."""

    def __init__(self, url: str) -> None:
        host, port = url.removeprefix("http://").split(":")
        self.address = (host, int(port))

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=20)

    def send(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None, key: str = KEY
    ) -> Answer:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        given = {"host": "local", "content-length": str(len(content)), "connection": "close"}
        given |= {"api-key": key} if key else {}
        lines = "".join(f"{name}: {value}\r\n" for name, value in (given | (headers or {})).items())
        with self.connect() as connection:
            connection.sendall(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + content)
            return read_answer(b"".join(_received(connection)))

    def chat(self, deployment_name: str, *, headers: dict[str, str] | None = None, **parameters: Any) -> Answer:
        body = {"model": deployment_name, "messages": HELLO, "temperature": 0, **parameters}
        return self.send("POST", "/openai/v1/chat/completions", body, headers=headers)

    # The control plane.

    def fault(self, kind: str, **wish: Any) -> str:
        answer = self.send("POST", "/_sim/faults", {"kind": kind, **wish}, key="")
        assert answer.status == 201, answer.body
        return str(answer.json()["id"])

    def calls(self, since: int = 0) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.send("GET", f"/_sim/calls?since={since}", key="").json()["calls"]
        return found

    def account(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = self.send("GET", "/_sim/account", key="").json()["deployments"][key]
        return found

    def change(self, name: str, **settings: Any) -> None:
        answer = self.send("PATCH", f"/_sim/deployments/{name}", settings, key="")
        assert answer.status == 200, answer.body

    def first_calls(self) -> list[dict[str, Any]]:
        """The calls that ended, as soon as there is one."""
        until(lambda: bool(self.calls()))
        return self.calls()

    def until_in_flight(self, key: str) -> None:
        """Returns as soon as a call to a deployment is under way."""
        until(lambda: self.account(key)["in_flight"] > 0)

    def reset(self) -> None:
        assert self.send("POST", "/_sim/reset", key="").status == 200


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Asks again and again, each time over the network, until a condition holds."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, "it did not happen in time"


def read_answer(content: bytes) -> Answer:
    """Takes a response apart, with its chunks joined."""
    head, _, rest = content.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    status = int(first.split(" ")[1])
    if headers.get("transfer-encoding") != "chunked":
        return Answer(status, headers, rest, len(rest) == int(headers["content-length"]))
    body, complete = b"", False
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        complete = length == 0
        body, rest = body + rest[:length], rest[length + 2 :]
    return Answer(status, headers, body, complete)


def events(answer: Answer) -> list[Any]:
    """The documents of a stream, `[DONE]` included as text."""
    found = []
    for block in answer.body.decode().split("\n\n"):
        if block:
            assert block.startswith("data: "), block
            found.append(block[6:] if block == "data: [DONE]" else json.loads(block[6:]))
    return found


def text_of(answer: Answer) -> str:
    """The text of a stream."""
    deltas = [event["choices"][0]["delta"] for event in events(answer) if event != "[DONE]" and event["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


def client(url: str, path: str = "/openai/v1") -> OpenAI:
    return OpenAI(base_url=url + path, api_key=KEY, max_retries=0)


def async_client(url: str, path: str = "/openai/v1") -> AsyncOpenAI:
    return AsyncOpenAI(base_url=url + path, api_key=KEY, max_retries=0)


def _received(connection: socket.socket) -> Iterator[bytes]:
    while part := connection.recv(65_536):
        yield part
