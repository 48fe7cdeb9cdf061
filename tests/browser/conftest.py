"""Chromium, the scripted server, and a page that is checked for what no page may do, whatever the script."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chat import Chat
from tests.browser.chromium import ARGUMENTS, NAMES, executable
from tests.browser.console_double import KEY as OPERATOR_KEY
from tests.browser.console_double import ConsoleDouble, ConsoleServer, serving_console
from tests.browser.double import Double, Server, serving
from tests.browser.operator import Operator, context_for

HERE = Path(__file__).resolve().parent
OpenChat = Callable[..., Chat]
OpenConsole = Callable[..., Operator]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """A real Chromium.

    Package scope, because the driver keeps an event loop in this thread that tests of other folders must not meet.
    """
    path = executable()
    if path is None:
        pytest.skip(f"no Chromium on PATH (looked for {', '.join(NAMES)})")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def server() -> Iterator[Server]:
    """The scripted server."""
    with serving() as running:
        yield running


@pytest.fixture
def double(server: Server) -> Double:
    """What the server plays in this test."""
    server.double = Double()
    return server.double


@pytest.fixture
def open_chat(chromium: Browser, server: Server, double: Double) -> Iterator[OpenChat]:
    """Opens chat pages, each like a new visitor's browser; at the end each must have behaved."""
    chats: list[Chat] = []

    def opened(path: str = "/api/#key=test-key", *, fake_clock: bool = False, **context: Any) -> Chat:
        chat = Chat(chromium.new_context(**{"reduced_motion": "reduce", **context}), server.url, fake_clock=fake_clock)
        chats.append(chat)
        chat.go(path)
        return chat

    yield opened
    for chat in chats:
        chat.close()
    for chat in chats:
        chat.check()


@pytest.fixture(scope="package")
def shared_chat(chromium: Browser, server: Server) -> Iterator[Chat]:
    """One browser window for the tests that need nothing special of it: opening one takes longer than most tests."""
    chat = Chat(chromium.new_context(reduced_motion="reduce"), server.url)
    yield chat
    chat.close()


@pytest.fixture
def chat(shared_chat: Chat, double: Double) -> Iterator[Chat]:
    """The page of a visitor who has a key and was never here before."""
    shared_chat.forget_everything()
    shared_chat.go("/api/#key=test-key")
    yield shared_chat
    shared_chat.look_for_violations()
    shared_chat.check()


@pytest.fixture(scope="package")
def modules(chromium: Browser, server: Server) -> Iterator[Chat]:
    """One page for all tests that only call the page's modules and leave nothing behind."""
    chat = Chat(chromium.new_context(), server.url)
    chat.go("/api/#key=test-key")
    yield chat
    chat.close()
    chat.check()


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The pinned npm packages, installed when they are not there."""
    folder = HERE / "node_modules"
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    if not (folder / ".package-lock.json").exists():
        command = [npm, "ci", "--no-audit", "--no-fund"]
        result = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False, timeout=100)
        if result.returncode:
            pytest.skip(f"npm ci failed, so the packages cannot be had: {result.stderr.strip()[-300:]}")
    return folder


@pytest.fixture(scope="package")
def console_server() -> Iterator[ConsoleServer]:
    """The scripted server of the operator routes."""
    with serving_console() as server:
        yield server


@pytest.fixture
def console_double(console_server: ConsoleServer) -> ConsoleDouble:
    """What it plays in this test."""
    console_server.double = ConsoleDouble()
    return console_server.double


@pytest.fixture
def open_console(
    chromium: Browser, console_server: ConsoleServer, console_double: ConsoleDouble
) -> Iterator[OpenConsole]:
    """Opens consoles, each in a browser of its own; at the end each must have behaved."""
    opened: list[Operator] = []

    def open_one(fragment: str = f"key={OPERATOR_KEY}", **look: Any) -> Operator:
        operator = Operator(chromium.new_context(**context_for(**look)), console_server.url)
        opened.append(operator)
        return operator.go(fragment)

    yield open_one
    for operator in opened:
        operator.close()
    for operator in opened:
        operator.check()
