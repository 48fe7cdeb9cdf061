"""The event-stream parser against the WHATWG standard, in the browser, cut at every place it can be cut."""

from typing import Any

import pytest

from tests.browser.chat import Chat

pytestmark = pytest.mark.browser

PARSE = """({ EventStreamParser }, pieces) => {
  const parser = new EventStreamParser();
  const events = pieces.flatMap((piece) => parser.push(piece));
  return { events, retry: parser.retryMilliseconds ?? null };
}"""
READ_CUT_EVERYWHERE = """async ({ readEvents }, text) => {
  const bytes = new TextEncoder().encode(text);
  const outcomes = new Set();
  for (let cut = 0; cut <= bytes.length; cut++) {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(bytes.slice(0, cut));
        controller.enqueue(bytes.slice(cut));
        controller.close();
      },
    });
    const events = [];
    for await (const event of readEvents(body)) events.push(event);
    outcomes.add(JSON.stringify(events));
  }
  return { outcomes: [...outcomes], cuts: bytes.length + 1 };
}"""


def event(data: str, kind: str = "message", number: str = "") -> dict[str, str]:
    """An event as the parser gives it."""
    return {"type": kind, "data": data, "id": number}


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        ("data: a\n\n", [event("a")]),
        ("data: a\r\rdata: b\r\n\r\ndata: c\n\n", [event("a"), event("b"), event("c")]),
        ("data:a\ndata: b\ndata:  c\ndata\n\n", [event("a\nb\n c\n")]),
        (": keep-alive\n\n:\n\ndata: a\n: in between\n\n", [event("a")]),
        ("event: delta\ndata: a\n\ndata: b\n\n", [event("a", "delta"), event("b")]),
        ("id: 7\ndata: a\n\ndata: b\n\nid\ndata: c\n\n", [event("a", number="7"), event("b", number="7"), event("c")]),
        ("id: 7\n\nevent: lost\n\ndata: a\n\n", [event("a", number="7")]),
        ("id: 1\0\ndata: a\n\n", [event("a")]),
        ("data: a\n\ndata: cut off", [event("a")]),
        ("data: a\n\ndata: cut off\n", [event("a")]),
        ("unknown: x\ndata : y\ndata: a: b\n\n", [event("a: b")]),
        ("\ufeffdata: a\n\n", [event("a")]),
        ("data: Zoë ☕ 🤖\n\n", [event("Zoë ☕ 🤖")]),
        ("data\n\n", [event("")]),
        ("", []),
    ],
    ids=str,
)
def test_the_same_events_come_out_wherever_the_bytes_are_cut(modules: Chat, stream: str, expected: list[Any]) -> None:
    result = modules.page.evaluate(
        f"""async ([text, expected]) => {{
          const result = await ({READ_CUT_EVERYWHERE})(await import("/api/js/sse.js"), text);
          return {{ ...result, matches: result.outcomes.every((one) => one === JSON.stringify(expected)) }};
        }}""",
        [stream, expected],
    )

    assert result["matches"], result["outcomes"]
    assert result["cuts"] == len(stream.encode()) + 1


def test_every_character_may_come_alone(modules: Chat) -> None:
    stream = "retry: 2500\r\nid: 3\r\nevent: delta\r\ndata: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n"

    result = modules.module("sse", PARSE, list(stream))

    assert result["events"] == [event("a\nb", "delta", "3"), event("c", number="3")]
    assert result["retry"] == 2500


def test_a_retry_that_is_no_number_is_ignored(modules: Chat) -> None:
    assert modules.module("sse", PARSE, ["retry: soon\n\nretry: -1\n\nretry: 1.5\n\n"])["retry"] is None


def test_an_event_without_end_does_not_fill_the_memory(modules: Chat) -> None:
    feed = """({ EventStreamParser }, line) => {
      const parser = new EventStreamParser();
      try {
        for (let pushed = 0; pushed < 5_000_000; pushed += line.length) parser.push(line);
        return "took everything";
      } catch (error) {
        return error.message;
      }
    }"""

    assert modules.module("sse", feed, "x" * 10_000) == "The event is too large."
    assert modules.module("sse", feed, "data: " + "x" * 10_000 + "\n") == "The event is too large."


def test_a_reader_that_is_left_closes_its_connection(modules: Chat) -> None:
    leave = """async ({ readEvents }) => {
      let closed = false;
      const body = new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode("data: a\\n\\n")),
        cancel: () => void (closed = true),
      });
      for await (const event of readEvents(body)) break;
      return closed;
    }"""

    assert modules.module("sse", leave) is True
