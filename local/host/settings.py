"""Application settings: the environment, the `Values` of a local.settings.json, and `%NAME%` references to them."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from local.host.errors import HostError

_REFERENCE = re.compile(r"%([^%]+)%")


def load(path: Path) -> None:
    """Puts the `Values` of a local.settings.json into the environment; what is set there already wins.

    Raises:
        HostError: The file cannot be read, is not JSON, or its `Values` are not an object of strings.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise HostError(f"Cannot read the settings file {path}: {error.strerror}.") from error
    except ValueError as error:
        raise HostError(f"The settings file {path} is not valid JSON: {error}.") from error
    values = document.get("Values") if isinstance(document, dict) else None
    if not isinstance(values, dict):
        raise HostError(f'The settings file {path} has no object "Values".')
    for name, value in values.items():
        if not isinstance(value, str):
            raise HostError(f'The settings file {path}: the value of "{name}" must be a string, as on Azure.')
        os.environ.setdefault(name, value)


def expand(text: str, settings: Mapping[str, str], *, function: str) -> str:
    """Replaces each `%NAME%` in a binding property by the setting of that name.

    Raises:
        HostError: A setting is missing or empty; names the function and the setting.
    """

    def value_of(reference: re.Match[str]) -> str:
        value = settings.get(reference[1])
        if not value:
            raise HostError(f'Function "{function}": "%{reference[1]}%" does not resolve to an application setting.')
        return value

    return _REFERENCE.sub(value_of, text)
