import asyncio
import importlib.util
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest
from azurefunctions.extensions.http.fastapi import Request, WebApp

from tests.contract.host.conftest import APPS, Launch, eventually
from tests.processes import Service, running

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("http")
    with running("local.host", "--app", str(APPS / "http_streaming"), "--port", "0", folder=folder) as service:
        yield service


@pytest.fixture
async def client(host: Service) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=f"{host.url}/api", timeout=10) as client:
        yield client


async def test_a_chunk_arrives_before_the_next_one_is_made(client: httpx2.AsyncClient) -> None:
    arrivals: list[float] = []
    loop = asyncio.get_running_loop()
    async with client.stream("GET", "/stream", params={"count": 3, "delay": 0.3}) as response:
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        chunks = []
        async for chunk in response.aiter_raw():
            chunks.append(chunk)
            arrivals.append(loop.time())
    assert chunks == [b"data: 0\n\n", b"data: 1\n\n", b"data: 2\n\n"]
    assert arrivals[1] - arrivals[0] > 0.2
    assert arrivals[2] - arrivals[1] > 0.2


async def test_a_client_that_leaves_cancels_the_stream_at_its_await(client: httpx2.AsyncClient) -> None:
    before = (await client.get("/ends")).json()
    async with client.stream("GET", "/stream", params={"count": 1000, "delay": 0.05}) as response:
        async for _ in response.aiter_raw():
            break
    until = asyncio.get_running_loop().time() + 5
    new: list[str] = []
    while len(new) < 2 and asyncio.get_running_loop().time() < until:
        new = (await client.get("/ends")).json()[len(before) :]
    assert new == ["cancelled", "finally"]


async def test_an_exception_is_a_bare_500_and_a_traceback_in_the_log(client: httpx2.AsyncClient, host: Service) -> None:
    response = await client.get("/fails")
    assert (response.status_code, response.text) == (500, "Internal Server Error")
    log = host.log.read_text()
    assert "Executed 'Functions.fails' (Failed, Id=" in log
    assert "RuntimeError: as it must" in log


async def test_a_function_that_returns_nothing_has_failed(client: httpx2.AsyncClient) -> None:
    response = await client.get("/nothing")
    assert (response.status_code, response.text) == (500, "Internal Server Error")


async def test_a_stream_that_fails_is_cut_and_logged_once(client: httpx2.AsyncClient, host: Service) -> None:
    with pytest.raises(httpx2.RemoteProtocolError):
        await client.get("/cut")
    assert eventually(lambda: "in the middle of the stream" in host.log.read_text())
    assert host.log.read_text().count("RuntimeError: in the middle of the stream") == 1


async def test_requests_reach_the_function_with_all_they_have(client: httpx2.AsyncClient) -> None:
    headers = {"x-test": "1", "traceparent": TRACE}
    answer = (await client.post("/echo", params={"q": "a b"}, content=b"body", headers=headers)).json()
    invocation_id = answer.pop("invocation_id")
    assert answer.pop("invocation_header") == invocation_id
    assert answer == {
        "method": "POST", "query": {"q": "a b"}, "body": "body", "header": "1", "function": "echo", "trace": TRACE,
    }  # fmt: skip


async def test_plain_functions_run_on_threads_side_by_side(client: httpx2.AsyncClient) -> None:
    first, second = await asyncio.gather(client.get("/blocking"), client.get("/blocking"))
    assert first.json()["thread"] != second.json()["thread"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/items/12", {"function": "item_by_number", "id": "12"}),
        ("/items/abc", {"function": "item_by_name", "name": "abc"}),
        ("/ITEMS/abc/", {"function": "item_by_name", "name": "abc"}),
        ("/items/abc/x", {"function": "item_by_name", "name": "abc", "part": "x"}),
        ("/files/a/b%20c.txt", {"function": "file", "path": "a/b c.txt"}),
        ("/files", {"function": "file"}),
    ],
)
async def test_routes_with_constraints_options_and_rest(
    client: httpx2.AsyncClient, path: str, expected: dict[str, str]
) -> None:
    response = await client.get(path)
    assert response.json() == expected


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/items/a1"), ("GET", "/none"), ("GET", "/echo"), ("GET", "/../stream"), ("GET", "/")]
)
async def test_what_matches_no_route_is_404_without_a_body(client: httpx2.AsyncClient, method: str, path: str) -> None:
    response = await client.request(method, path)
    assert (response.status_code, response.content) == (404, b"")


async def test_of_two_routes_that_match_the_first_function_name_wins(client: httpx2.AsyncClient, host: Service) -> None:
    assert (await client.get("/zoo/lion")).json() == {"function": "any_animal"}
    assert "The route /api/zoo/{animal} of any_animal takes requests that are meant for" in host.log.read_text()


def speak(port: int, text: bytes) -> bytes:
    """Sends bytes as they are and returns the beginning of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(text)
        return connection.recv(1000)


async def test_a_body_beyond_the_limit_is_413_before_it_is_sent(host: Service) -> None:
    head = f"POST /api/echo HTTP/1.1\r\nhost: x\r\ncontent-length: {100 * 1024 * 1024 + 1}\r\n\r\n"
    answer = await asyncio.to_thread(speak, host.port, head.encode())
    assert answer.startswith(b"HTTP/1.1 413")


async def test_a_head_that_never_ends_is_cut_off(host: Service) -> None:
    answer = await asyncio.to_thread(speak, host.port, b"GET /api/echo HTTP/1.1\r\nx-long: " + b"x" * 100_000)
    assert answer.startswith(b"HTTP/1.1 400")


async def test_large_bodies_on_one_connection_are_no_large_heads(client: httpx2.AsyncClient) -> None:
    body = "x" * 300_000
    for _ in range(3):
        response = await client.post("/echo", content=body)
        assert response.json()["body"] == body


async def test_bytes_that_are_no_http_harm_nobody_else(client: httpx2.AsyncClient, host: Service) -> None:
    answer = await asyncio.to_thread(speak, host.port, b"\x00\xff" * 100 + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400")
    assert (await client.get("/instance")).json()["pid"] == host.ready["pid"]


def shapes() -> Any:
    spec = importlib.util.spec_from_file_location("shapes", APPS / "http_streaming" / "shapes.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.SHAPES


@pytest.mark.parametrize("shape", list(shapes()))
async def test_answers_are_byte_for_byte_those_of_the_extension(client: httpx2.AsyncClient, shape: str) -> None:
    extension = WebApp()

    async def catch_all(request: Request) -> Any:
        return shapes()[shape]()

    extension.route(catch_all)
    transport = httpx2.ASGITransport(extension.get_app())
    async with httpx2.AsyncClient(transport=transport, base_url="http://extension") as reference:
        expected = await reference.get("/")
    actual = await client.get(f"/shapes/{shape}")

    def essence(response: httpx2.Response) -> tuple[int, dict[str, str], bytes]:
        headers = {name: value for name, value in response.headers.items() if name != "date"}
        return response.status_code, headers, response.content

    assert essence(actual) == essence(expected)


async def test_classic_functions_get_and_give_the_classic_types(launch: Launch) -> None:
    service = launch("http_classic")
    async with httpx2.AsyncClient(base_url=service.url) as client:
        headers = {"x-test": "1"}
        response = await client.post("/classic/7?q=a%20b", content=b"body", headers=headers)
        assert response.status_code == 202
        assert response.headers["content-type"] == "application/json"
        assert response.headers["x-kind"] == "classic"
        assert response.headers["set-cookie"] == "a=1; Path=/"
        assert response.json() == {
            "method": "POST", "url": f"{service.url}/classic/7?q=a%20b", "params": {"q": "a b"}, "route": {"id": "7"},
            "header": "1", "body": "body",
        }  # fmt: skip
        hello = await client.get("/hello")
        assert (hello.status_code, hello.text) == (200, "hello")
        # The worker cannot encode None either.
        assert (await client.get("/silent")).status_code == 500


async def test_sigterm_lets_a_running_stream_end_and_takes_no_new_requests(launch: Launch) -> None:
    service = launch("http_streaming", "--drain-seconds", "10")
    async with (
        httpx2.AsyncClient(base_url=f"{service.url}/api") as client,
        client.stream("GET", "/stream", params={"count": 8, "delay": 0.2}) as response,
    ):
        chunks = response.aiter_raw()
        received = [await anext(chunks)]
        service.process.terminate()
        await asyncio.sleep(0.3)
        with pytest.raises(httpx2.ConnectError):
            async with httpx2.AsyncClient() as other:
                await other.get(f"{service.url}/api/instance")
        received += [chunk async for chunk in chunks]
    assert len(received) == 8
    assert await asyncio.to_thread(service.process.wait, 10) == 0


async def test_a_thread_that_does_not_end_does_not_keep_the_host_alive(launch: Launch) -> None:
    service = launch("http_streaming", "--drain-seconds", "1")
    async with httpx2.AsyncClient(base_url=f"{service.url}/api") as client:
        # Alone, it waits for a partner that does not come.
        blocked = asyncio.create_task(client.get("/blocking"))
        await asyncio.to_thread(eventually, lambda: "calling" in service.log.read_text())
        service.process.terminate()
        assert await asyncio.to_thread(service.process.wait, 5) == 0
        assert (await blocked).status_code == 500


async def test_what_outlasts_the_time_to_drain_is_cancelled(launch: Launch) -> None:
    service = launch("http_streaming", "--drain-seconds", "1")
    async with httpx2.AsyncClient(base_url=f"{service.url}/api") as client:
        request = client.build_request("GET", "/stream", params={"count": 1000, "delay": 0.1})
        response = await client.send(request, stream=True)
        chunks = response.aiter_raw()
        await anext(chunks)
        service.process.terminate()
        with pytest.raises(httpx2.RemoteProtocolError):
            [chunk async for chunk in chunks]
        await response.aclose()
    assert await asyncio.to_thread(service.process.wait, 10) == 0
