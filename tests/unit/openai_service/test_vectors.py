"""Embeddings: unit length, repeatable, related texts nearer than unrelated ones."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.openai.vectors import embed


def cosine(first: str, second: str) -> float:
    return math.fsum(a * b for a, b in zip(embed(first), embed(second), strict=True))


@given(st.text(max_size=200), st.sampled_from([1, 2, 256, 1_536]))
def test_every_text_has_a_vector_of_length_one(text: str, dimensions: int) -> None:
    vector = embed(text, dimensions)
    assert len(vector) == dimensions
    assert math.isclose(math.fsum(value * value for value in vector), 1.0, abs_tol=1e-9)
    assert vector == embed(text, dimensions)


@pytest.mark.parametrize(
    ("question", "related", "unrelated"),
    [
        ("How do I return an item?", "Items can be returned within 30 days.", "We deliver to Norway by lorry."),
        ("Where is my order?", "Track your orders on the order page.", "The tent is waterproof."),
        ("waterproof tents", "This tent has a waterproof rating.", "Gift cards never expire."),
        ("What does shipping cost?", "Shipping costs 4.90 EUR.", "Our chairs are made of oak."),
    ],
)
def test_related_texts_are_nearer_than_unrelated_ones(question: str, related: str, unrelated: str) -> None:
    assert cosine(question, related) > cosine(question, unrelated) + 0.1


def test_case_and_punctuation_matter_little() -> None:
    assert cosine("Return policy", "return POLICY!") > 0.99
