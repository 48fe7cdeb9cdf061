"""After deploying: the hook against the app itself, on local Azure."""

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from infra.hooks import postdeploy
from infra.hooks.app import App
from infra.hooks.console import HookError
from tests.acceptance.stack import OPERATOR, USER, Stack

Pause = Callable[[float], None]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("stack"), durable=False)
    try:
        yield stack.start()
    finally:
        stack.stop()


def variables(url: str, key: str = OPERATOR, **more: str) -> dict[str, str]:
    return {"SPILLWAY_URL": url, "SPILLWAY_OPERATOR_KEY": key, "AZURE_RESOURCE_GROUP": "rg-demo", **more}


def test_a_working_app_is_given_knowledge_and_answers(
    stack: Stack, no_pause: Pause, capsys: pytest.CaptureFixture[str]
) -> None:
    assert postdeploy.main(variables(stack.url), no_pause) == 0
    told = capsys.readouterr().out
    documents = postdeploy.SAMPLE.read_text(encoding="utf-8").count("\n")
    assert f"Stored {documents} sample documents." in told
    assert "449" in told, "the answer should come from the knowledge that was just stored"
    assert "robovac-r3" in told
    assert f"{stack.url}/api/openai/v1" in told
    assert OPERATOR not in told


def test_a_refusal_is_told_in_the_apps_words(stack: Stack, no_pause: Pause, capsys: pytest.CaptureFixture[str]) -> None:
    assert postdeploy.main(variables(stack.url, USER), no_pause) == 1
    told = capsys.readouterr().out
    assert "The sample knowledge was refused. 403" in told
    assert "azd hooks run postdeploy" in told


def test_seeding_can_be_left_out(stack: Stack, no_pause: Pause, capsys: pytest.CaptureFixture[str]) -> None:
    postdeploy.main(variables(stack.url, USER, SPILLWAY_SEED="false"), no_pause)
    assert "sample documents" not in capsys.readouterr().out


def test_an_app_that_never_starts_is_given_up_after_a_bounded_wait(capsys: pytest.CaptureFixture[str]) -> None:
    pauses: list[float] = []
    assert postdeploy.main(variables("http://127.0.0.1:9"), pauses.append) == 1
    assert sum(pauses) == postdeploy.STARTED_SECONDS
    assert "/api/health/live did not answer 200" in capsys.readouterr().out


def test_missing_variables_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert postdeploy.main({}) == 1
    assert "SPILLWAY_URL is not set" in capsys.readouterr().out


class Unready(BaseHTTPRequestHandler):
    """Answers as the app does while it cannot reach the store, then as a broken proxy would."""

    def do_GET(self) -> None:
        self._refuse(b'{"status": "unavailable"}')

    def do_POST(self) -> None:
        self._refuse(b"<html>")

    def _refuse(self, body: bytes) -> None:
        self.send_response(503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def unready() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Unready) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_app_that_cannot_work_yet_is_asked_again(unready: str) -> None:
    pauses: list[float] = []
    with pytest.raises(HookError, match="unavailable"):
        App(unready, {}, pauses.append).wait_for("/api/health/ready", "it is ready", 20)
    assert pauses == [5.0] * 4


def test_an_answer_that_is_no_json_is_quoted(unready: str, no_pause: Pause) -> None:
    with pytest.raises(HookError, match="503: <html>"):
        App(unready, {}, no_pause).turn("Hello?", 10)
