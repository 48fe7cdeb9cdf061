"""What the benchmarks' callers say of a stream, above all when something is missing."""

import json
from itertools import count

from bench.clients import Stream, look
from shared.events import RUN, Event


def stream(*parts: bytes, pauses: tuple[float, ...] = ()) -> Stream:
    """Parts that come 20 ms apart unless another pause is given, beginning 50 ms after the question."""
    times, now = list[tuple[float, bytes]](), 0.05
    for number, part in zip(count(), parts, strict=False):
        times.append((now, part))
        now += pauses[number] if number < len(pauses) else 0.02
    return Stream(0.0, times, times[-1][0])


def own(*texts: str, lost: int | None = None) -> list[bytes]:
    events, position = list[bytes](), 0
    for number, text in enumerate(texts):
        position += len(text)
        if number != lost:
            events.append(Event("delta", RUN + position, {"text": text}).encode())
    return [*events, Event("done", RUN + position + 1, {"state": "succeeded"}).encode()]


def openai(*texts: str) -> list[bytes]:
    chunks = [{"choices": [{"delta": {"content": text}}]} for text in texts]
    return [b"data: %s\n\n" % json.dumps(chunk).encode() for chunk in [{"choices": []}, *chunks]]


def test_a_whole_stream_is_complete_with_its_times() -> None:
    seen = look(stream(*own("Hel", "lo ", "you"), pauses=(0.02, 0.3)))

    assert (seen["complete"], seen["text"], seen["frames"]) == (True, "Hello you", 3)
    assert (seen["first_ms"], seen["last_ms"], seen["gap_ms"]) == (50.0, 370.0, 300.0)


def test_lost_text_is_found() -> None:
    assert not look(stream(*own("Hel", "lo ", "you", lost=0)))["complete"]
    assert not look(stream(*own("Hel", "lo ", "you", lost=1)))["complete"]
    assert not look(stream(*own("Hel", "lo")[:-1]))["complete"]


def test_openai_streams_are_complete_with_their_last_word() -> None:
    assert look(stream(*openai("Hel", "lo"), b"data: [DONE]\n\n"))["complete"]
    assert not look(stream(*openai("Hel", "lo")))["complete"]


def test_events_may_be_cut_anywhere() -> None:
    whole = b"".join(own("Hel", "lo"))

    assert look(stream(whole[:20], whole[20:45], whole[45:]))["complete"]
