"""The programs of samples/clients know of Spillway only what the environment says: a base URL and a key."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.acceptance.stack import USER, Stack
from tests.npm import node_with
from tests.processes import ROOT

CLIENTS = ROOT / "samples" / "clients"
QUESTION = "Say hello to a new customer."


@pytest.fixture(scope="module")
def python() -> str:
    """An interpreter of its own with OpenAI's client and LangChain, made once and kept."""
    made = subprocess.run(
        ["bash", "tests/environment.sh", sys.executable, "clients", "samples/clients/requirements.txt"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=300,
    )
    return str(Path(made.stdout.strip()) / "bin" / "python")


@pytest.fixture(scope="module")
def node() -> str:
    return node_with(CLIENTS)


def program(stack: Stack, *command: str) -> str:
    """What a program printed that was told a base URL and a key, and nothing more."""
    environment = {"OPENAI_BASE_URL": f"{stack.url}/api/openai/v1", "OPENAI_API_KEY": USER}
    done = subprocess.run(
        [*command, QUESTION],
        cwd=CLIENTS,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.removesuffix("\n")


def stored_answers(stack: Stack) -> list[str]:
    return [str(turn["answer"]) for turn in stack.turns() if turn["state"] == "succeeded"]


def assert_printed_what_is_stored(stack: Stack, *command: str) -> None:
    before = stored_answers(stack)
    printed = program(stack, *command)
    new = Counter(stored_answers(stack)) - Counter(before)

    assert printed
    assert list(new.elements()) == [printed]


@pytest.mark.parametrize("file", ["chat.py", "langchain_chat.py"])
def test_python_clients_print_the_answer_that_is_stored(stack: Stack, python: str, file: str) -> None:
    assert_printed_what_is_stored(stack, python, file)


@pytest.mark.javascript
def test_the_javascript_client_prints_the_answer_that_is_stored(stack: Stack, node: str) -> None:
    assert_printed_what_is_stored(stack, node, "chat.mjs")


CUT = """
import { ask } from "./events.mjs";
const [url, key, question] = process.argv.slice(1);
let requests = 0;
const cutting = async (address, options) => {
  const reply = await fetch(address, options);
  if (requests++) return reply;
  // The first connection breaks after two pieces, as a train in a tunnel does.
  let left = 2;
  const body = reply.body.pipeThrough(new TransformStream({
    transform(piece, stream) { if (left-- > 0) stream.enqueue(piece); else stream.error(new Error("cut")); },
  }));
  return new Response(body, { status: reply.status, headers: reply.headers });
};
const seen = [];
for await (const event of ask(url, key, { message: question }, { fetch: cutting })) seen.push(event);
console.log(JSON.stringify({ requests, seen }));
"""


@pytest.mark.javascript
def test_the_fetch_sample_gives_the_whole_answer_over_a_broken_connection(stack: Stack, node: str) -> None:
    command = [node, "--input-type=module", "--eval", CUT, stack.url, USER, "Tell me about yourself at some length."]
    done = subprocess.run(command, cwd=CLIENTS, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    seen = told["seen"]
    text = "".join(event["data"]["text"] for event in seen if event["event"] == "delta")
    turn = next(turn for turn in stack.turns() if turn["id"] == seen[0]["data"]["turn_id"])

    assert told["requests"] == 2
    assert seen[-1]["event"] == "done"
    assert text == turn["answer"]


@pytest.mark.javascript
def test_the_fetch_sample_says_why_it_was_refused(stack: Stack, node: str) -> None:
    script = (
        'import { ask } from "./events.mjs"; for await (const _ of ask(process.argv[1], "wrong", {message: "Hi"}));'
    )
    done = subprocess.run(
        [node, "--input-type=module", "--eval", script, stack.url], cwd=CLIENTS, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode != 0
    assert "key" in done.stderr
    assert "Error" in done.stderr
