"""LIKE and regular expressions: the same answers as Python's own engine, in bounded time."""

import contextlib
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.cosmos.sql.errors import QueryError
from local.cosmos.sql.functions.regex import compile_regex
from local.cosmos.sql.like import compile_like

letters = st.text("ab\n", max_size=12)
atoms = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\w", r"\s", "^", "$", r"\b", "[a-b]", r"\n"])


def _more(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("(?:{0[0]}|{0[1]})".format),
        st.tuples(
            st.sampled_from(["a", "b", "[ab]", "."]) | inner.map("({})".format),
            st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{2,}", "*?"]),
        ).map("".join),
    )


@given(st.recursive(atoms, _more, max_leaves=6), letters, st.sampled_from(["", "i", "m", "s"]))
@settings(max_examples=200, deadline=None)
def test_a_regular_expression_finds_what_python_s_finds(pattern: str, text: str, modifiers: str) -> None:
    flags = sum({"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}[modifier] for modifier in modifiers)
    assert compile_regex(pattern, modifiers).found_in(text) == bool(re.search(pattern, text, flags))


@given(st.text("ab%_", max_size=8), st.text("ab", max_size=10))
@settings(max_examples=150, deadline=None)
def test_like_matches_what_its_translation_matches(pattern: str, text: str) -> None:
    translated = "".join({"%": ".*", "_": "."}.get(character, character) for character in pattern)
    assert compile_like(pattern, None).matches(text) == bool(re.fullmatch(translated, text, re.DOTALL))


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*$", "(a*)*b", "a*a*a*a*a*a*a*b"])
def test_patterns_that_defeat_backtracking_take_no_time(pattern: str) -> None:
    started = time.monotonic()
    compile_regex(pattern, "").found_in("a" * 2000 + "!")
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    "pattern",
    ["(", ")", "[", "[b-a]", "*a", "a**", r"\1", "(?=a)", "(?P<n>a)", "a{2000}", "\\", r"\q", "((a{999}){999})"],
)
def test_what_is_wrong_or_not_covered_is_refused(pattern: str) -> None:
    with pytest.raises(QueryError):
        compile_regex(pattern, "")


@given(st.text(max_size=30))
def test_random_patterns_are_compiled_or_refused(pattern: str) -> None:
    with contextlib.suppress(QueryError):
        compile_regex(pattern, "").found_in("some text")
