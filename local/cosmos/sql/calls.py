"""Function calls to closures."""

from typing import Any, Final

from local.cosmos.sql.compile import Compiler, Evaluate, Path
from local.cosmos.sql.errors import QueryError
from local.cosmos.sql.functions import FUNCTIONS, TYPE_CHECKS, Function
from local.cosmos.sql.functions.regex import compile_regex
from local.cosmos.sql.functions.vectors import COSINE, measure_named, score
from local.cosmos.sql.scope import BUDGET, Environment
from local.cosmos.sql.syntax import Call, Constant, Expression, Member, Name, ObjectLiteral
from local.cosmos.sql.trees import AGGREGATES
from local.cosmos.sql.values import UNDEFINED, rank

VECTOR_DISTANCE: Final = "VECTORDISTANCE"
_DIMENSIONS_PER_STEP: Final = 8
_VECTOR_OPTIONS: Final = frozenset(
    {"distanceFunction", "dataType", "searchListSizeMultiplier", "quantizedVectorListMultiplier", "filterPriority"}
)
_NOT_COVERED: Final = {
    "FULLTEXTCONTAINS": "full-text search",
    "FULLTEXTCONTAINSALL": "full-text search",
    "FULLTEXTCONTAINSANY": "full-text search",
    "FULLTEXTSCORE": "full-text search",
    "RRF": "hybrid search",
    "ST_DISTANCE": "geospatial search",
    "ST_WITHIN": "geospatial search",
    "ST_INTERSECTS": "geospatial search",
    "ST_ISVALID": "geospatial search",
    "ST_ISVALIDDETAILED": "geospatial search",
    "ST_AREA": "geospatial search",
    "DOCUMENTID": "DocumentId",
    "ARRAY_AGG": "ARRAY_AGG",
    "MAKELIST": "MakeList",
    "MAKESET": "MakeSet",
    "DCOUNT": "DCount",
}


def compile_call(compiler: Compiler, node: Call) -> Evaluate:
    """A call of a built-in function.

    Raises:
        QueryError: There is no such function here, or it is called with too few or too many arguments.
    """
    if node.name in AGGREGATES:
        raise QueryError(f"The aggregate {node.written} cannot stand here.", start=node.start)
    if node.name == VECTOR_DISTANCE:
        return _vector_distance(compiler, node)
    arguments = [compiler.expression(argument) for argument in node.arguments]
    if node.name == "IIF":
        _check_count(node, 3, 3)
        test, then, otherwise = arguments
        return lambda env: then(env) if test(env) is True else otherwise(env)
    if node.name == "REGEXMATCH":
        return _regex_match(node, arguments)
    if node.name in TYPE_CHECKS:
        _check_count(node, 1, 1)
        check, argument = TYPE_CHECKS[node.name], arguments[0]
        return lambda env: check(argument(env))
    if node.name not in FUNCTIONS:
        raise _unknown(node)
    function = FUNCTIONS[node.name]
    _check_count(node, function.required, function.maximum)
    return _checked(function, arguments)


def _checked(function: Function, arguments: list[Evaluate]) -> Evaluate:
    call, kinds = function.call, function.kinds
    typed = [(argument, kinds[min(place, len(kinds) - 1)]) for place, argument in enumerate(arguments)]

    def evaluate(env: Environment) -> Any:
        values = []
        for argument, accepted in typed:
            value = argument(env)
            if rank(value) not in accepted:
                return UNDEFINED
            values.append(value)
        return call(*values)

    return evaluate


def _regex_match(node: Call, arguments: list[Evaluate]) -> Evaluate:
    _check_count(node, 2, 3)

    def evaluate(env: Environment) -> Any:
        text, pattern, *rest = [argument(env) for argument in arguments]
        modifiers = rest[0] if rest else ""
        if type(text) is not str or type(pattern) is not str or type(modifiers) is not str:
            return UNDEFINED
        regex = compile_regex(pattern, modifiers)
        env[BUDGET].spend(regex.work(text))
        return regex.found_in(text)

    return evaluate


def _vector_distance(compiler: Compiler, node: Call) -> Evaluate:
    _check_count(node, 2, 4)
    measure = measure_of(node, compiler.measures)
    left, right = compiler.expression(node.arguments[0]), compiler.expression(node.arguments[1])

    def evaluate(env: Environment) -> Any:
        vector = left(env)
        env[BUDGET].spend(len(vector) // _DIMENSIONS_PER_STEP if type(vector) is list else 1)
        return score(vector, right(env), measure)

    return evaluate


def measure_of(node: Call, measures: dict[Path, str] | Any) -> str:
    """The distance function of a VectorDistance call: from its options, else the vector policy, else cosine.

    Raises:
        QueryError: The options are not a literal object of known members.
    """
    if len(node.arguments) == 4:
        options = node.arguments[3]
        if not isinstance(options, ObjectLiteral) or {entry.key for entry in options.entries} - _VECTOR_OPTIONS:
            raise QueryError(f"The options of {node.written} take {', '.join(sorted(_VECTOR_OPTIONS))}.")
        for entry in options.entries:
            if entry.key == "distanceFunction" and isinstance(entry.value, Constant):
                return measure_named(entry.value.value)
    for argument in node.arguments[:2]:
        path = path_of(argument)
        if path is not None and path[1:] in measures:
            return str(measures[path[1:]])
    return COSINE


def path_of(node: Expression) -> Path | None:
    """The alias and the property names of `alias.a.b`, or None for anything else."""
    keys: list[str] = []
    while isinstance(node, Member):
        keys.append(node.key)
        node = node.target
    return (node.name, *reversed(keys)) if isinstance(node, Name) else None


def _check_count(node: Call, least: int, most: int) -> None:
    count = len(node.arguments)
    if not least <= count <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise QueryError(f"The function {node.written} takes {wanted} arguments, not {count}.", start=node.start)


def _unknown(node: Call) -> QueryError:
    end = node.start + len(node.written)
    if node.name in _NOT_COVERED:
        message = f"{node.written}: {_NOT_COVERED[node.name]} is not covered by this server."
        return QueryError(message, "SC2005", node.start, end)
    return QueryError(f"'{node.written}' is not a recognized built-in function name.", "SC2005", node.start, end)
