import pytest

from local.host.web.template import compile_template, shadows


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        ("a/b", "a/b", {}),
        ("a/b", "A/B/", {}),
        ("a/b", "a", None),
        ("a/b", "a/b/c", None),
        ("a/{x}", "a/b c", {"x": "b c"}),
        ("a/{x}", "a/", None),
        ("a/{x?}", "a", {}),
        ("a/{x?}", "a/1", {"x": "1"}),
        ("a/{x=7}", "a", {"x": "7"}),
        ("{*path}", "", {}),
        ("{*path}", "a/b", {"path": "a/b"}),
        ("a/{**path}", "a/b/c", {"path": "b/c"}),
        ("a/{*path}", "ab", None),
        ("{x:int}", "-5", {"x": "-5"}),
        ("{x:int}", "2147483648", None),
        ("{x:long}", "2147483648", {"x": "2147483648"}),
        ("{x:int}", "1" * 5000, None),
        ("{x:guid}", "4bf92f35-77b3-4da6-a3ce-929d0e0e4736", {"x": "4bf92f35-77b3-4da6-a3ce-929d0e0e4736"}),
        ("{x:guid}", "4bf92f35", None),
        ("{x:alpha}", "ab1", None),
        ("{x:bool}", "True", {"x": "True"}),
        ("{x:datetime}", "2026-11-23", {"x": "2026-11-23"}),
        ("{x:decimal}", "1.5", {"x": "1.5"}),
        ("{x:length(2)}", "abc", None),
        ("{x:length(2,3)}", "abc", {"x": "abc"}),
        ("{x:minlength(2):alpha}", "a", None),
        ("{x:range(1,9)}", "9", {"x": "9"}),
        ("{x:range(1,9)}", "10", None),
        ("{x:min(3)}", "2", None),
        ("{x:max(3)}", "3", {"x": "3"}),
        (r"{x:regex(^\d{{3}}$)}", "123", {"x": "123"}),
        (r"{x:regex(^\d{{3}}$)}", "1234", None),
        ("v{major}.{minor}", "v1.2.3", {"major": "1.2", "minor": "3"}),
        ("{name}.txt", "a.txt", {"name": "a"}),
        ("a.b", "axb", None),
        ("{x:int?}", "", {}),
    ],
)
def test_a_path_gives_the_values_of_its_template(template: str, path: str, values: dict[str, str] | None) -> None:
    assert compile_template(template).match(path) == values


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("a/{b", "not closed"),
        ("a}/b", "not allowed"),
        ("a?b", "not allowed"),
        ("{a}/{A}", "twice"),
        ("{a?}/b", "last segment"),
        ("{*a}/b", "last segment"),
        ("x{*a}", "segment of its own"),
        ("{a:prime}", 'no route constraint "prime"'),
        ("{a:length(1,2,3)}", "no route constraint"),
        ("{}", "not a valid parameter"),
        ("{a:regex([)}", "not a valid regular expression: unterminated"),
    ],
)
def test_a_template_that_is_not_valid_is_refused(template: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compile_template(template)


@pytest.mark.parametrize(
    ("first", "second", "hidden"),
    [
        ("a/{x}", "a/b", True),
        ("a/b", "a/{x}", False),
        ("a/{x:int}", "a/{y}", False),
        ("a/{x}", "a/{y:int}", True),
        ("a/{x:guid}", "a/{y:int}", False),
        ("{*rest}", "a/b/c", True),
        ("a/{x}", "a/b/c", False),
    ],
)
def test_a_route_that_is_hidden_by_an_earlier_one_is_noticed(first: str, second: str, hidden: bool) -> None:
    assert shadows(compile_template(first), compile_template(second)) is hidden
