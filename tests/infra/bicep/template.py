"""Whole files: parameters are checked, resources and modules evaluated, outputs collected."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from tree_sitter import Node

from tests.infra.bicep import nodes as n
from tests.infra.bicep import syntax
from tests.infra.bicep.evaluate import Evaluator
from tests.infra.bicep.functions import SUBSCRIPTION
from tests.infra.bicep.resources import ModuleResult, Resource
from tests.infra.bicep.syntax import BicepError

TYPES: dict[str, type] = {"string": str, "int": int, "bool": bool, "array": list, "object": dict}
GROUP = "Microsoft.Resources/resourceGroups"


@dataclass(slots=True)
class Declaration:
    """One statement of a file: what it is, its type or path, its expression and its decorators."""

    what: str
    name: str
    about: str
    line: int
    existing: bool = False
    value: n.Expression | None = None
    decorators: dict[str, list[n.Expression]] = field(default_factory=dict)


@lru_cache(maxsize=256)
def declarations(source: bytes, file: str) -> tuple[Declaration, ...]:
    """The statements of a file in order."""
    found: list[Declaration] = []
    decorators: dict[str, list[n.Expression]] = {}
    for node in syntax.parts(syntax.tree(source)):
        if node.type == "decorators":
            decorators = _decorators(node)
        elif node.type != "target_scope_assignment":
            found.append(_declaration(node, decorators))
            decorators = {}
    names = [entry.name for entry in found if entry.what != "output"]
    if twice := {name for name in names if names.count(name) > 1}:
        raise BicepError(f"{file}: declared twice: {', '.join(sorted(twice))}")
    return tuple(found)


def _decorators(node: Node) -> dict[str, list[n.Expression]]:
    calls = [n.lower(syntax.parts(decorator)[0]) for decorator in syntax.parts(node)]
    return {call.function: list(call.arguments) for call in calls if isinstance(call, n.Call)}


def _declaration(node: Node, decorators: dict[str, list[n.Expression]]) -> Declaration:
    what = node.type.removesuffix("_declaration")
    name, *rest = syntax.parts(node)
    about = ""
    if rest and what in {"parameter", "output"}:
        about = syntax.text(rest.pop(0))
    elif what in {"resource", "module"}:
        about = syntax.text(rest.pop(0)).strip("'")
    existing = any(child.type == "existing" for child in node.children)
    value = n.lower(rest[0]) if rest else None
    return Declaration(what, syntax.text(name), about, node.start_point.row + 1, existing, value, decorators)


class Template:
    """One file with its parameters, evaluated as far as anybody asks."""

    def __init__(self, path: Path, given: Mapping[str, Any], *, root: Path, scope: str, modules: "Modules") -> None:
        self.folder, self._file, self._scope = path.parent, str(path.relative_to(root)), scope
        self._path, self._root, self._modules = path, root, modules
        self._given, self._known = given, dict[str, Any]()
        self._evaluator = Evaluator(self)
        syntax.parsed(path)
        self.declarations = declarations(path.read_bytes(), self._file)
        self._by_name = {entry.name: entry for entry in self.declarations if entry.what != "output"}
        if unknown := set(given) - {entry.name for entry in self.declarations if entry.what == "parameter"}:
            raise BicepError(f"{self._file}: no such parameter: {', '.join(sorted(unknown))}")

    def run(self) -> ModuleResult:
        """Evaluates everything."""
        result = ModuleResult()
        for entry in self.declarations:
            if entry.what == "output":
                result.outputs[entry.name] = self._checked(entry, self._evaluator.value(_expression(entry)))
            else:
                _collect(self.value(entry.name), result.resources)
        return result

    def value(self, name: str) -> Any:
        """See `Symbols`."""
        if name not in self._known:
            entry = self._by_name.get(name)
            if entry is None:
                raise BicepError(f"{self._file}: nothing is called {name}")
            try:
                self._known[name] = self._evaluated(entry)
            except BicepError as error:
                raise BicepError(f"{self._file}:{entry.line}: {entry.name}: {error}") from error
        return self._known[name]

    def _evaluated(self, entry: Declaration) -> Any:
        match entry.what:
            case "parameter":
                return self._parameter(entry)
            case "variable":
                return self._evaluator.value(_expression(entry))
            case "resource" | "module":
                return self._instances(entry, _expression(entry), {})
            case _:
                raise BicepError(f"a statement of kind {entry.what} is not covered")

    def _parameter(self, entry: Declaration) -> Any:
        if entry.name in self._given:
            return self._checked(entry, self._given[entry.name])
        if entry.value is None:
            raise BicepError("the parameter has no value and no default")
        return self._checked(entry, self._evaluator.value(entry.value))

    def _checked(self, entry: Declaration, value: Any) -> Any:
        wanted = TYPES.get(entry.about)
        if wanted is None or type(value) is not wanted:
            raise BicepError(f"{entry.name} must be {entry.about}, not {value!r}")
        given = {name: arguments for name, arguments in entry.decorators.items() if arguments}
        limits: dict[str, Any] = {name: self._evaluator.value(arguments[0]) for name, arguments in given.items()}
        size = int(value) if isinstance(value, int) else _length(value)
        low = limits.get("minValue", limits.get("minLength", size))
        high = limits.get("maxValue", limits.get("maxLength", size))
        if value not in limits.get("allowed", [value]) or not low <= size <= high:
            raise BicepError(f"{entry.name} must not be {value!r}")
        return value

    def _instances(self, entry: Declaration, node: n.Expression, local: Mapping[str, Any]) -> Any:
        match node:
            case n.For():
                return [self._instances(entry, node.body, inner) for inner in self._evaluator.rounds(node, local)]
            case n.If(condition, body):
                return self._instances(entry, body, local) if self._evaluator.value(condition, local) else None
            case _ if entry.what == "module":
                return self._module(entry, self._evaluator.value(node, local))
            case _:
                return self._resource(entry, self._evaluator.value(node, local))

    def _module(self, entry: Declaration, body: dict[str, Any]) -> ModuleResult:
        scope = body.get("scope")
        inside = scope.id if isinstance(scope, Resource) else self._scope
        path = (self.folder / entry.about).resolve()
        return self._modules.run(path, body.get("params", {}), root=self._root, scope=inside)

    def _resource(self, entry: Declaration, body: dict[str, Any]) -> Resource:
        kind, _, version = entry.about.partition("@")
        parent, scope = body.get("parent"), body.get("scope")
        if not isinstance(body.get("name"), str) or not body["name"]:
            raise BicepError("a resource needs a name")
        if parent is not None and not kind.startswith(f"{parent.kind}/"):
            raise BicepError(f"{kind} is no child of {parent.kind}")
        full_name = body["name"] if parent is None else f"{parent.full_name}/{body['name']}"
        inside = scope.id if isinstance(scope, Resource) else self._scope
        batch = entry.decorators.get("batchSize")
        return Resource(
            kind=kind,
            api_version=version,
            id=_id(inside, kind, full_name),
            name=body["name"],
            full_name=full_name,
            body={name: value for name, value in body.items() if name not in {"parent", "scope", "dependsOn"}},
            module=self._file,
            line=entry.line,
            existing=entry.existing,
            batch_size=self._evaluator.value(batch[0]) if batch else 0,
            parent=parent,
            scope=scope if isinstance(scope, Resource) else None,
            depends_on=body.get("dependsOn", []),
        )


class Modules:
    """Runs module files; a file may not call itself."""

    def run(self, path: Path, given: Mapping[str, Any], *, root: Path, scope: str) -> ModuleResult:
        """What a file creates with these parameters."""
        if not path.is_file():
            raise BicepError(f"there is no module {path.name}")
        return Template(path, given, root=root, scope=scope, modules=self).run()


def deploy(main: Path, parameters: Mapping[str, Any]) -> ModuleResult:
    """What a deployment of the main file would create and give back.

    Raises:
        BicepError: Bicep or Azure would refuse it.
    """
    return Modules().run(main.resolve(), parameters, root=main.resolve().parent, scope=f"/subscriptions/{SUBSCRIPTION}")


def _length(value: Any) -> int:
    return len(value)


def _collect(value: Any, into: list[Resource]) -> None:
    if isinstance(value, Resource):
        into.append(value)
    elif isinstance(value, ModuleResult):
        into.extend(value.resources)
    elif isinstance(value, list):
        for item in value:
            _collect(item, into)


def _id(scope: str, kind: str, full_name: str) -> str:
    if kind == GROUP:
        return f"{scope}/resourceGroups/{full_name}"
    provider, *types = kind.split("/")
    pairs = "/".join(f"{each}/{name}" for each, name in zip(types, full_name.split("/"), strict=True))
    return f"{scope}/providers/{provider}/{pairs}"


def _expression(entry: Declaration) -> n.Expression:
    if entry.value is None:
        raise BicepError(f"{entry.name} has no value")
    return entry.value
