"""Answers out of the prompt: what they say, what they cite, when they do not know."""

from typing import Any

import pytest

from local.openai import chat_request
from local.openai.answers.compose import answer_text
from local.openai.answers.passages import find
from local.openai.answers.words import sentences, stem

SYSTEM = """You are a shop's assistant. Answer from these sources and cite them.

[source: returns-1] Returns and refunds
You can return any unopened item within 30 days of delivery. Opened electronics can be returned within 14 days.
Refunds are paid to the original payment method within 5 business days.

[source: ship-2] Shipping
We deliver to Norway, Sweden and Denmark. Standard shipping takes 3 to 5 business days, e.g. to Oslo. It costs 4.90 EUR.

[source: tent-9] TrailMaster X4 tent
The TrailMaster X4 tent sleeps four people. It weighs 5.2 kg and has a waterproof rating of 2000 mm.
"""


def ask(*turns: str, system: str = SYSTEM, seed: int = 7, **parameters: Any) -> str:
    roles = ("user", "assistant")
    messages = [{"role": roles[number % 2], "content": text} for number, text in enumerate(turns)]
    document = {"messages": [{"role": "system", "content": system}, *messages], **parameters}
    return answer_text(chat_request.read(document), seed)


@pytest.mark.parametrize(
    ("question", "fact", "source"),
    [
        ("When will I get my refund?", "within 5 business days", "[returns-1]"),
        ("Can I return opened electronics?", "within 14 days", "[returns-1]"),
        ("Do you deliver to Norway?", "Norway", "[ship-2]"),
        ("How much does shipping cost?", "4.90 EUR", "[ship-2]"),
        ("How heavy is the TrailMaster?", "5.2 kg", "[tent-9]"),
        ("How many people fit in the X4?", "four people", "[tent-9]"),
    ],
)
def test_an_answer_holds_the_fact_and_cites_its_source(question: str, fact: str, source: str) -> None:
    answer = ask(question)
    assert fact in answer
    assert source in answer
    assert 1 <= len(sentences(answer)) <= 4


@pytest.mark.parametrize(
    "question",
    ["What is the capital of France?", "Who won the world cup in 1998?", "Do you sell gift cards?", "Write me a poem."],
)
def test_what_the_sources_do_not_say_is_not_known(question: str) -> None:
    assert ask(question).startswith("I don't know")


def test_a_follow_up_is_understood_from_the_turn_before() -> None:
    assert "2000 mm" in ask("How heavy is the TrailMaster tent?", "It weighs 5.2 kg. [tent-9]", "And is it waterproof?")


def test_passages_in_the_user_message_are_used_and_the_question_is_what_follows_its_label() -> None:
    text = "Sources:\n\n[source: A] Hours\nWe open at nine.\n\nQuestion: When do you open?"
    assert ask(text, system="Answer briefly.") == "We open at nine. [A]"


@pytest.mark.parametrize(("text", "word"), [("Hello!", "help"), ("Thanks a lot", "else"), ("Goodbye", "")])
def test_small_talk_gets_a_polite_answer_without_sources(text: str, word: str) -> None:
    answer = ask(text)
    assert word in answer
    assert "[" not in answer
    assert "don't know" not in answer


def test_a_greeting_with_a_question_is_a_question() -> None:
    assert "4.90 EUR" in ask("Hi, how much does shipping cost?")


def test_the_same_seed_gives_the_same_answer_and_temperature_0_the_first_wording() -> None:
    assert ask("Hello", seed=3) == ask("Hello", seed=3)
    assert {ask("Hello", seed=number) for number in range(20)} != {ask("Hello", seed=0)}
    assert {ask("Hello", seed=number, temperature=0) for number in range(20)} == {"Hello! How can I help you today?"}


def test_a_passage_ends_at_the_blank_line() -> None:
    found, rest = find("Before\n\n[source: x] Title\nOne.\nTwo.\n\nAfter\n[source: y]\nThree.")
    assert [(one.id, one.title, [each.text for each in one.sentences]) for one in found] == [
        ("x", "Title", ["One.", "Two."]),
        ("y", "", ["Three."]),
    ]
    assert "Before" in rest
    assert "After" in rest
    assert "One" not in rest


def test_sentences_are_not_split_at_abbreviations_or_decimals() -> None:
    assert sentences("It costs 4.90 EUR. Ask Mr. Smith, e.g. Today. Done!") == [
        "It costs 4.90 EUR.",
        "Ask Mr. Smith, e.g. Today.",
        "Done!",
    ]


@pytest.mark.parametrize(
    "words", [("return", "returns", "returned", "returning"), ("delivery", "deliveries"), ("ship", "shipping", "ships")]
)
def test_forms_of_a_word_share_a_stem(words: tuple[str, ...]) -> None:
    assert len({stem(word) for word in words}) == 1
