"""The model's stream: whatever way the network cuts it and whoever writes it, the same text comes out."""

import itertools
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.openai_chunks import ChunkReader
from shared.adapters.openai_events import LARGEST_EVENT_BYTES, EventStream, ServerEvent
from shared.ports import Chunk, ModelRefusal
from shared.turns import Usage

LINE_ENDS = ("\n", "\r\n", "\r")
texts = st.text(st.characters(exclude_characters="\r\n", exclude_categories=("Cs",)), max_size=20)


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[ServerEvent]]:
    """A stream with comments, names, ids and data of several lines in any of the three line ends, and its events."""
    end = draw(st.sampled_from(LINE_ENDS))
    lines: list[str] = []
    events: list[ServerEvent] = []
    for _ in range(draw(st.integers(0, 5))):
        name, data = draw(st.sampled_from(["", "error", "delta"])), draw(st.lists(texts, max_size=3))
        lines += [f": {draw(texts)}"] * draw(st.integers(0, 2))
        lines += [f"event: {name}"] if name else []
        lines += [draw(st.sampled_from(["id: 7", "retry: 10", "unknown: field", "fieldwithoutcolon"]))]
        lines += [f"data: {line}" for line in data]
        lines += [""] * draw(st.integers(1, 3))
        if data:
            events.append(ServerEvent(name.encode(), "\n".join(data).encode()))
    mark = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    return mark + "".join(line + end for line in lines).encode(), events


def parts(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[begin:end] for begin, end in itertools.pairwise(places)]


def events_of(pieces: Sequence[bytes]) -> list[ServerEvent]:
    stream = EventStream()
    return [event for piece in pieces for event in stream.feed(piece)] + stream.end()


@given(streams(), st.lists(st.integers(0, 10_000), max_size=30))
def test_any_cut_of_a_stream_gives_its_events(stream: tuple[bytes, list[ServerEvent]], cuts: list[int]) -> None:
    data, expected = stream

    assert events_of(parts(data, cuts)) == expected
    assert events_of([bytes([byte]) for byte in data]) == expected


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=20))
def test_any_cut_of_any_bytes_gives_the_same_events(data: bytes, cuts: list[int]) -> None:
    assert events_of(parts(data, cuts)) == events_of([data])


def test_an_event_comes_with_its_empty_line_and_not_before() -> None:
    stream = EventStream()

    assert stream.feed(b"data: a\r") == []
    assert stream.feed(b"\n\r") == [ServerEvent(b"", b"a")]
    assert stream.feed(b"\ndata: b\n\n") == [ServerEvent(b"", b"b")]


def test_an_event_without_end_is_refused() -> None:
    stream = EventStream()
    stream.feed(b"data: ")

    with pytest.raises(ValueError, match="larger than"):
        stream.feed(b"x" * LARGEST_EVENT_BYTES)


def chunk(text: str | None = None, finish_reason: str | None = None, **more: Any) -> bytes:
    """A chunk as Azure sends it, with the filter's annotations."""
    choice = {
        "index": 0,
        "delta": {} if text is None else {"content": text},
        "logprobs": None,
        "finish_reason": finish_reason,
        "content_filter_results": {"hate": {"filtered": False, "severity": "safe"}},
    }
    return (
        b"data: %s\n\n"
        % json.dumps({"id": "x", "object": "chat.completion.chunk", "choices": [choice]} | more).encode()
    )


USAGE = {
    "prompt_tokens": 11,
    "completion_tokens": 7,
    "total_tokens": 18,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 2},
}


def read(pieces: Sequence[bytes]) -> tuple[list[Chunk], ChunkReader]:
    stream, reader, chunks = EventStream(), ChunkReader(), list[Chunk]()
    for piece in pieces:
        if (found := reader.read(stream.feed(piece))) is not None:
            chunks.append(found)
        if reader.done or reader.refusal is not None:
            break
    return chunks, reader


@given(
    st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=10), max_size=10),
    st.lists(st.integers(0, 5000), max_size=20),
)
def test_the_text_is_the_same_however_chunks_are_joined(answer: list[str], cuts: list[int]) -> None:
    stream = b"".join(
        [
            b'data: {"choices":[],"prompt_filter_results":[{"prompt_index":0}]}\n\n',
            chunk(""),
            *(chunk(text) for text in answer),
            chunk(finish_reason="stop"),
            chunk(choices=[], usage=USAGE),
            b"data: [DONE]\n\n",
        ]
    )

    chunks, reader = read(parts(stream, cuts))

    assert "".join(piece.text for piece in chunks) == "".join(answer)
    assert sum(piece.pieces for piece in chunks if piece.text) == len([text for text in answer if text])
    assert [piece.finish_reason for piece in chunks if piece.finish_reason] == ["stop"]
    assert [piece.usage for piece in chunks if piece.usage] == [Usage(11, 7, 4, 2)]
    assert reader.done
    assert reader.refusal is None


def test_the_first_text_is_not_held_back_for_what_follows() -> None:
    chunks, _ = read([chunk("Hel"), chunk("lo")])

    assert [piece.text for piece in chunks] == ["Hel", "lo"]


@pytest.mark.parametrize(
    ("event", "code", "message"),
    [
        (b'data: {"error": {"code": "429", "message": "slow down"}}\n\n', "429", "slow down"),
        (b'event: error\ndata: {"code": "busy", "message": "no capacity"}\n\n', "busy", "no capacity"),
        (b'data: {"error": "broken"}\n\n', None, "broken"),
        (b'data: {"error": {"type": "server_error"}}\n\n', None, "An error occurred during streaming"),
    ],
)
def test_an_error_in_mid_stream_ends_it_after_the_text_before(event: bytes, code: str | None, message: str) -> None:
    chunks, reader = read([chunk("Hel") + chunk("lo") + event + chunk("never")])

    assert [piece.text for piece in chunks] == ["Hello"]
    assert reader.refusal == ModelRefusal(0, code, message, {})


@pytest.mark.parametrize(
    "event",
    [
        b"data: {not json}\n\n",
        b"data: []\n\n",
        b"data: null\n\n",
        b'data: {"choices": [null]}\n\n',
        b'data: {"choices": {"0": 1}}\n\n',
        b'data: {"choices": [{"delta": {"content": ["a list"]}}]}\n\n',
        b'data: {"choices": [{"delta": "text"}]}\n\n',
        b'data: {"choices": [], "usage": {"prompt_tokens": 1}}\n\n',
    ],
)
def test_what_is_no_chunk_ends_the_stream_as_a_fault_and_loses_no_text_before(event: bytes) -> None:
    chunks, reader = read([chunk("before") + event])

    assert [piece.text for piece in chunks] == ["before"]
    assert reader.refusal is not None
    assert "no chunk" in reader.refusal.message


@pytest.mark.parametrize(
    "event",
    [
        b'data: {"choices": [{"delta": {"role": "assistant", "refusal": null}}]}\n\n',
        b'data: {"choices": [{"finish_reason": null, "content_filter_offsets": {"check_offset": 3}}]}\n\n',
        b'data: {"choices": [{"delta": null}]}\n\n',
        b'data: {"choices": null, "something_new": true}\n\n',
        b": a comment\n\n",
    ],
)
def test_chunks_without_text_are_passed_over(event: bytes) -> None:
    chunks, reader = read([chunk("a") + event + chunk("b")])

    assert [piece.text for piece in chunks] == ["ab"]
    assert reader.refusal is None
