"""Token counts and pieces."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.openai import chat_request
from local.openai.config import Deployment
from local.openai.reply import build, prompt_tokens
from local.openai.tokens import Tokenizer

DEPLOYMENT = Deployment("chat", "a", "r", "gpt-4o-mini", "chat", "standard", 1, 1)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer()


def test_counts_are_those_of_o200k(tokenizer: Tokenizer) -> None:
    assert tokenizer.count("Hello, world!") == 4
    assert tokenizer.count("<|endoftext|>") == 7
    assert tokenizer.count("") == 0


@settings(deadline=None)
@given(st.text(max_size=300))
def test_pieces_put_the_text_together_again_and_carry_every_token(tokenizer: Tokenizer, text: str) -> None:
    tokens = tokenizer.encode(text)
    pieces = tokenizer.pieces(tokens)
    assert "".join(piece for piece, _ in pieces) == text
    assert sum(count for _, count in pieces) == len(tokens)
    assert all(piece for piece, _ in pieces)


def test_a_character_of_several_tokens_stays_whole(tokenizer: Tokenizer) -> None:
    pieces = tokenizer.pieces(tokenizer.encode("𒐫"))
    assert [piece for piece, _ in pieces] == ["𒐫"]
    assert pieces[0][1] > 1


def test_a_run_of_blanks_that_is_too_long_for_the_pattern_is_still_counted(tokenizer: Tokenizer) -> None:
    assert tokenizer.count(" " * 2_000_000) > 1_000


def test_the_prompt_is_counted_as_the_chat_format_does(tokenizer: Tokenizer) -> None:
    request = chat_request.read({"messages": [{"role": "user", "content": "Hello, world!"}]})
    assert prompt_tokens(tokenizer, request) == 4 + 4 + 3


@pytest.mark.parametrize("length", [1, 5, 400])
def test_a_forced_length_is_exact_and_the_text_has_that_many_tokens(tokenizer: Tokenizer, length: int) -> None:
    deployment = Deployment("chat", "a", "r", "m", "chat", "standard", 1, 1, answer_tokens=length)
    request = chat_request.read({"messages": [{"role": "user", "content": "Hello"}]})
    reply = build(tokenizer, deployment, request, most_tokens=1_000, seed=7)
    assert sum(count for _, count in reply.pieces) == length
    assert tokenizer.count(reply.text) == length
    assert reply.finish_reason == "stop"


def test_the_maximum_cuts_the_answer_and_says_so(tokenizer: Tokenizer) -> None:
    request = chat_request.read({"messages": [{"role": "user", "content": "Hello"}]})
    reply = build(tokenizer, DEPLOYMENT, request, most_tokens=2, seed=7)
    assert (len(reply.pieces), reply.finish_reason) == (2, "length")


def test_a_stop_sequence_ends_the_answer_before_itself(tokenizer: Tokenizer) -> None:
    request = chat_request.read({"messages": [{"role": "user", "content": "Hello"}], "temperature": 0, "stop": ["can"]})
    reply = build(tokenizer, DEPLOYMENT, request, most_tokens=50, seed=7)
    assert (reply.text, reply.finish_reason) == ("Hello! How ", "stop")
