"""The evaluator itself: what it gets wrong, every rule would get wrong."""

from pathlib import Path
from typing import Any

import pytest

from tests.infra.bicep.syntax import BicepError
from tests.infra.bicep.template import deploy

RESOURCE = "resource x 'Microsoft.Web/sites@2024-11-01' = "


def outputs(tmp_path: Path, source: str, **parameters: Any) -> dict[str, Any]:
    path = tmp_path / "main.bicep"
    path.write_text(source)
    return deploy(path, parameters).outputs


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("a ? b : c.d", 2),
        ("!a ? b : c.d", "deep"),
        ("map([c], each => each.d)", ["deep"]),
        ("filter([1, 2, 3], each => each == 2)", [2]),
        ("filter([c], each => each.d == 'deep' && a)", [{"d": "deep"}]),
        ("c.?e ?? 'none'", "none"),
        ("c.?d ?? c.e", "deep"),
        ("'${c.d} it\\'s ${b + 1}'", "deep it's 3"),
        ("union({ p: { q: 1 } }, { p: { r: 2 } })", {"p": {"q": 1, "r": 2}}),
        ("union(['x', 'y'], ['y', 'z'])", ["x", "y", "z"]),
        ("[for (each, i) in ['x', 'y']: '${i}${each}']", ["0x", "1y"]),
        ("string({ a: [1, true, null] })", '{"a":[1,true,null]}'),
        ("contains({ Key: 1 }, 'key')", True),
        ("take('abc', 2)", "ab"),
        ("length(range(3, 2))", 2),
        ("empty('') || c.e", True),
    ],
)
def test_expressions_have_the_value_that_bicep_gives_them(tmp_path: Path, expression: str, value: Any) -> None:
    kind = {int: "int", str: "string", bool: "bool", list: "array", dict: "object"}[type(value)]
    source = f"var a = true\nvar b = 2\nvar c = {{ d: 'deep' }}\noutput r {kind} = {expression}\n"
    assert outputs(tmp_path, source) == {"r": value}


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("output r string = nothing\n", "nothing is called nothing"),
        ("var a = { b: 1 }\noutput r int = a.c\n", "there is no c"),
        ("param p string\noutput r string = p\n", "no value and no default"),
        ("@allowed(['x'])\nparam p string = 'y'\noutput r string = p\n", "must not be 'y'"),
        ("@maxLength(2)\nparam p string = 'long'\noutput r string = p\n", "must not be 'long'"),
        ("param p int = 'text'\noutput r int = p\n", "must be int"),
        ("output r string = substring('ab', 1, 5)\n", "outside of a text"),
        (RESOURCE + "{\n  name: ''\n}\n", "needs a name"),
        (RESOURCE + "{\n  name: 'a'\n}\noutput r string = x.properties.madeUp\n", "nothing is known of"),
        ("module m 'missing.bicep' = {\n  name: 'm'\n}\n", "no module missing.bicep"),
        ("output r string = listKeys('x', 'y')\n", "listKeys is not covered"),
        ("var a = (1\n", "not Bicep"),
        ("var a = 1\nvar a = 2\n", "declared twice"),
    ],
)
def test_what_azure_would_refuse_is_refused(tmp_path: Path, source: str, fault: str) -> None:
    with pytest.raises(BicepError, match=fault):
        outputs(tmp_path, source)


def test_ids_of_children_hold_the_names_of_their_parents(tmp_path: Path) -> None:
    source = (
        "resource n 'Microsoft.ServiceBus/namespaces@2024-01-01' = {\n  name: 'space'\n}\n"
        "resource q 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = {\n  parent: n\n  name: 'lane'\n}\n"
        "output r string = q.id\n"
    )
    assert outputs(tmp_path, source)["r"].endswith("/providers/Microsoft.ServiceBus/namespaces/space/queues/lane")
