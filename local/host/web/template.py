"""Route templates such as `chat/{turn:guid}/{part?}`, compiled to a pattern with constraints."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from local.host.web import constraints
from local.host.web.constraints import Predicate

# Values tried in turn to build a path that a template matches.
_SAMPLES = ("~sample~", "1", "sample", "00000000-0000-0000-0000-000000000000", "true", "2026-01-01", "ab", "abcdefgh")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One `{...}` of a template.

    Attributes:
        name: Its name; names are compared without case by the platform, and kept as written.
        constraints: All must hold for a value.
        optional: The segment may be missing.
        catch_all: It takes the rest of the path, with slashes.
        default: Value when the segment is missing.
    """

    name: str
    constraints: tuple[Predicate, ...] = ()
    optional: bool = False
    catch_all: bool = False
    default: str | None = None

    def allows(self, value: str) -> bool:
        """Whether every constraint holds."""
        return all(holds(value) for holds in self.constraints)

    def sample(self) -> str:
        """A value that the constraints allow, as unlike a literal segment as they permit."""
        return next((value for value in _SAMPLES if self.allows(value)), _SAMPLES[0])


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled route template.

    Attributes:
        text: As written, with the route prefix.
        pattern: Matches a whole path without its first and last slash; one group per parameter.
        parameters: In the order of the groups.
        sample: A path that it matches.
    """

    text: str
    pattern: re.Pattern[str]
    parameters: tuple[Parameter, ...]
    sample: str

    def match(self, path: str) -> dict[str, str] | None:
        """Route values of a path without its first slash, or None when it does not match."""
        found = self.pattern.fullmatch(path.removesuffix("/"))
        if found is None:
            return None
        values: dict[str, str] = {}
        for parameter, captured in zip(self.parameters, found.groups(), strict=True):
            value = captured or parameter.default
            if value:
                if not parameter.allows(value):
                    return None
                values[parameter.name] = value
        return values


def compile_template(text: str) -> Template:
    """Compiles a template, without a leading slash.

    Raises:
        ValueError: The template is not valid; says why.
    """
    parameters: list[Parameter] = []
    pattern, sample = "", ""
    segments = [segment for segment in _segments(text) if segment]
    for position, segment in enumerate(segments):
        separator = "/" if position else ""
        parts = list(_parts(segment))
        alone = parts[0] if len(parts) == 1 and isinstance(parts[0], Parameter) else None
        if alone is not None and (alone.optional or alone.catch_all or alone.default is not None):
            if position != len(segments) - 1 and alone.default is None:
                raise ValueError(f'"{{{alone.name}}}" can only be the last segment')
            value = "(.*)" if alone.catch_all else "([^/]+)"
            pattern += f"(?:{separator}{value})?"
        else:
            pattern += separator + "".join(_pattern(part, alone=len(parts) == 1) for part in parts)
        sample += separator + "".join(part.sample() if isinstance(part, Parameter) else part for part in parts)
        parameters += [part for part in parts if isinstance(part, Parameter)]
    names = [parameter.name.lower() for parameter in parameters]
    if len(set(names)) != len(names):
        raise ValueError("a parameter appears twice")
    return Template(text, re.compile(pattern, re.IGNORECASE | re.DOTALL), tuple(parameters), sample)


def shadows(first: Template, second: Template) -> bool:
    """Whether a request that is meant for `second` matches `first`."""
    return first.match(second.sample) is not None


def _segments(text: str) -> Iterator[str]:
    """Splits at slashes outside of braces; a `regex(...)` constraint may hold a slash."""
    depth, start = 0, 0
    for position, character in enumerate(text):
        depth += (character == "{") - (character == "}")
        if depth < 0 or (character == "?" and depth == 0):
            raise ValueError(f'"{character}" is not allowed at position {position}')
        if character == "/" and depth == 0:
            yield text[start:position]
            start = position + 1
    if depth:
        raise ValueError("a brace is not closed")
    yield text[start:]


def _parts(segment: str) -> Iterator[str | Parameter]:
    """Literals and parameters of one segment."""
    position = 0
    while position < len(segment):
        if segment[position] == "{":
            end = _closing_brace(segment, position)
            yield _parameter(segment[position + 1 : end])
            position = end + 1
        else:
            end = segment.find("{", position)
            yield segment[position : end if end >= 0 else len(segment)]
            position = end if end >= 0 else len(segment)


def _closing_brace(text: str, start: int) -> int:
    depth = 0
    for position in range(start, len(text)):
        depth += (text[position] == "{") - (text[position] == "}")
        if depth == 0:
            return position
    raise ValueError("a brace is not closed")


def _parameter(text: str) -> Parameter:
    match = re.fullmatch(r"(\*{0,2})(\w[\w-]*)((?::[^:()=?]+(?:\(.*?\))?)*)(?:=([^?]*))?(\??)", text, re.DOTALL)
    if match is None:
        raise ValueError(f'"{{{text}}}" is not a valid parameter')
    rules = re.findall(r":([^:()=?]+(?:\(.*?\))?)", match[3], re.DOTALL)
    return Parameter(
        name=match[2],
        constraints=tuple(constraints.parse(rule) for rule in rules),
        optional=bool(match[5]),
        catch_all=bool(match[1]),
        default=match[4],
    )


def _pattern(part: str | Parameter, *, alone: bool) -> str:
    if isinstance(part, str):
        return re.escape(part)
    if not alone and (part.catch_all or part.optional):
        raise ValueError(f'"{{{part.name}}}" must be a segment of its own')
    return "([^/]+)"
