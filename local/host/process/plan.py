"""Which functions run in which process, grouped as the Flex Consumption plan scales them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from local.host.app.functions import HTTP, TIMER
from local.host.errors import HostError

EVERYTHING, HTTP_GROUP = "all", "http"
_MOST_INSTANCES = 64


@dataclass(frozen=True, slots=True)
class Planned:
    """One instance to start.

    Attributes:
        group: `http`, `function:<name>` or `all`.
        number: From 1, within the group.
        functions: What it runs, None for everything.
    """

    group: str
    number: int
    functions: tuple[str, ...] | None

    @property
    def label(self) -> str:
        """Short name for logs."""
        return f"{self.group.removeprefix('function:')}-{self.number}"


def plan_copies(requests: Sequence[str]) -> list[Planned] | None:
    """Lays out instances that run everything each, as the Premium and Dedicated plans scale.

    Args:
        requests: Values of `--instances`.

    Returns:
        None when the request is for groups, see `plan_groups`.

    Raises:
        HostError: The number is out of bounds.
    """
    if len(requests) != 1 or not requests[0].isdecimal():
        return None
    return [Planned(EVERYTHING, number, None) for number in range(1, _count(requests[0], least=1) + 1)]


def plan_groups(kinds: Mapping[str, str], requests: Sequence[str]) -> list[Planned]:
    """Lays out groups of instances as the Flex Consumption plan does.

    All HTTP functions are one group, every other function is one by itself. Groups that are not named get one
    instance. Timers live in the first instance of `http` unless their group is named or there is no `http`.

    Args:
        kinds: Trigger type by function name.
        requests: Values of `--instances`: `http=2`, `function:answer=1`.

    Raises:
        HostError: A request is not valid or names no group.
    """
    counts = _counts(requests)
    groups = _groups(kinds)
    unknown = counts.keys() - groups.keys()
    if unknown:
        raise HostError(f"--instances: there is no group {min(unknown)}; there are: {', '.join(groups)}.")
    guests = [name for name, kind in kinds.items() if kind == TIMER and f"function:{name}" not in counts]
    if HTTP_GROUP not in groups or counts.get(HTTP_GROUP, 1) == 0:
        guests = []
    planned: list[Planned] = []
    for group, names in groups.items():
        if names[0] in guests:
            continue
        for number in range(1, counts.get(group, 1) + 1):
            extra = guests if group == HTTP_GROUP and number == 1 else []
            planned.append(Planned(group, number, (*names, *extra)))
    return planned


def _groups(kinds: Mapping[str, str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name, kind in kinds.items():
        groups.setdefault(HTTP_GROUP if kind == HTTP else f"function:{name}", []).append(name)
    return groups


def _counts(requests: Sequence[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for request in requests:
        match = re.fullmatch(r"(http|function:[\w-]+)=(\d{1,3})", request)
        if match is None:
            raise HostError(f'--instances: "{request}" is neither a number nor like http=2 or function:name=1.')
        if match[1] in counts:
            raise HostError(f"--instances: {match[1]} is given twice.")
        counts[match[1]] = _count(match[2], least=0)
    return counts


def _count(text: str, *, least: int) -> int:
    count = int(text)
    if not least <= count <= _MOST_INSTANCES:
        raise HostError(f"--instances: {text} is not from {least} to {_MOST_INSTANCES}.")
    return count
