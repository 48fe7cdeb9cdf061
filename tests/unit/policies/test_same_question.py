"""Questions that a vector cannot tell apart are told apart, and politeness, case and plural change nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.policies.same_question import MOST_CHARACTERS, compare, sense

SAME = [
    ("How do I return an item?", "How can I return items"),
    ("how much is the RoboVac R1", "What is the price of the RoboVac R1?"),
    ("What does the RoboVac R1 cost?", "How much does the RoboVac R1 cost?"),
    ("Can I return it after 30 days?", "Can I return it after thirty days?"),
    ("Does Anna work here?", "Does anna work here"),
    ("Hi, can you tell me where my order is?", "Where is my order"),
    ("WHERE IS MY CARD", "where is my card?"),
    ("How do I top-up my card?", "how do i top up my card"),
    ("Is it 1,000 euros?", "is it 1000 euros"),
    ("I can’t log in", "I cannot log in"),
    ("Wo ist meine Karte?", "wo ist meine karte"),
]
DIFFERENT = [
    ("Refund was approved", "Refund was not approved", "negation"),
    ("Why can't I log in?", "Why can I log in?", "negation"),
    ("It isn't working", "It is working", "negation"),
    ("Is it never late?", "Is it late?", "negation"),
    ("What does the RoboVac R1 cost?", "What does the RoboVac R2 cost?", "numbers"),
    ("Is 5 a day too much?", "Is -5 a day too much?", "numbers"),
    ("Is it 1.5 litres?", "Is it 15 litres?", "numbers"),
    ("Do I need two keys?", "Do I need three keys?", "numbers"),
    ("Does Anna work here?", "Does Maria work here?", "names"),
    ("Do you ship to US?", "Do you ship to us?", "names"),
    ("Is Apple cheap?", "Is apple juice cheap?", "words"),
    ("Transfer from Berlin to Paris", "Transfer from Paris to Berlin", "order"),
    ("Go from Paris to Berlin to Paris", "Go from Paris to Berlin", "words"),
    ("Is the lamp cheaper than the chair?", "Is the chair cheaper than the lamp?", "order"),
    ("Can I return it after 30 days?", "Can I return it within 30 days?", "limits"),
    ("Is only the lamp on sale?", "Is the lamp on sale?", "limits"),
    ("When does it arrive?", "Where does it arrive?", "question"),
    ("How many are left?", "How much are left?", "question"),
    ("Can I cancel?", "Must I cancel?", "modality"),
    ("Did my card arrive?", "Will my card arrive?", "modality"),
    ("Can I call you?", "Can you call me?", "person"),
    ("What is his address?", "What is my address?", "person"),
    ("How do I open an account?", "How do I close an account?", "words"),
    ("Can I enable it?", "Can I disable it?", "words"),
    ("Is it 5%?", "Is it 5$?", "words"),
    ("Do you like C++?", "Do you like C#?", "words"),
    ("Ist das erlaubt?", "Ist das nicht erlaubt?", "words"),
    ("Ist es offen?", "Ist es kein Problem?", "words"),
    ("?", "?", "empty"),
    ("a" * 601, "a" * 601, "long"),
]
PLAIN = st.lists(
    st.sampled_from(["card", "order", "invoice", "lamp", "chair", "account", "door", "window", "parcel"]), min_size=1
)
VERBS = st.sampled_from(["open", "return", "block", "repair"])


@pytest.mark.parametrize(("asked", "known"), SAME)
def test_ways_of_asking_the_same_are_the_same(asked: str, known: str) -> None:
    assert compare(asked, known).reasons == ()
    assert compare(asked, known).same


@pytest.mark.parametrize(("asked", "known", "reason"), DIFFERENT)
def test_what_changes_the_answer_is_named(asked: str, known: str, reason: str) -> None:
    comparison = compare(asked, known)

    assert not comparison.same
    assert reason in comparison.reasons


@given(st.text(max_size=80), st.text(max_size=80))
def test_it_does_not_matter_which_of_two_was_asked_first(first: str, second: str) -> None:
    assert compare(first, second) == compare(second, first)


@given(st.text(max_size=MOST_CHARACTERS))
def test_every_question_that_says_something_is_the_same_as_itself(text: str) -> None:
    assert compare(text, text).same == bool(sense(text).content)


@given(VERBS, PLAIN, st.integers(0, 99))
def test_a_word_that_denies_makes_another_question_wherever_it_stands(verb: str, nouns: list[str], place: int) -> None:
    words = ["can", "I", verb, "the", *nouns]
    place = 1 + place % (len(words) - 1)
    denied = " ".join([*words[:place], "not", *words[place:]])

    assert compare(" ".join(words), denied).reasons == ("negation",)


@given(VERBS, PLAIN, st.integers(0, 10**7), st.integers(0, 10**7))
def test_another_number_makes_another_question(verb: str, nouns: list[str], one: int, other: int) -> None:
    questions = [f"How do I {verb} {cents / 100:,.2f} {' and '.join(nouns)}?" for cents in (one, other)]

    assert compare(*questions).same == (one == other)


@given(VERBS, PLAIN, st.sampled_from(["please", "also", "just", "the"]), st.integers(0, 99))
def test_fillers_change_nothing(verb: str, nouns: list[str], filler: str, place: int) -> None:
    words = ["can", "I", verb, "my", *nouns]
    place %= len(words) + 1

    assert compare(" ".join(words), " ".join([*words[:place], filler, *words[place:]])).same


@given(VERBS, PLAIN, PLAIN)
def test_other_things_make_another_question(verb: str, nouns: list[str], others: list[str]) -> None:
    assert compare(f"Where can I {verb} {' '.join(nouns)}", f"Where can I {verb} {' '.join(others)}").same == (
        nouns == others
    )
