"""Values of parameters, checked and written as KQL. Nothing a caller sends can become more than a value.

How the placeholders are written out is documented in "Azure Workbooks: parameters" and "time parameters", but for the
steps of `:grain`, of which only 30 minutes for a day is.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from shared.errors import InvalidRequest
from shared.workbook.document import TEXT, TIME_RANGE, Parameter

PLACEHOLDER: Final = re.compile(r"\{(\w+)(?::(\w+))?\}")
ALL: Final = "value::all"
EVERYTHING: Final = "'*'"
MOST_CHOICES: Final = 100
LONGEST_CHOICE: Final = 200
LONGEST_RANGE_SECONDS: Final = 93 * 86_400
_PLAIN: Final = re.compile(r"[\w .:/@+-]{0,100}", re.ASCII)
_NUMBER: Final = re.compile(r"\d{1,6}(\.\d{1,6})?", re.ASCII)
_GRAINS: Final = ((3_600, "1m"), (14_400, "5m"), (43_200, "15m"), (86_400, "30m"), (259_200, "1h"))
_LONG_GRAINS: Final = ((604_800, "3h"), (1_209_600, "6h"))


def fill_in(text: str, parameters: Mapping[str, Parameter], values: Mapping[str, Any]) -> str:
    """A query with its placeholders replaced; a parameter that `values` lacks is what it is at first.

    Raises:
        InvalidRequest: A value is not of its parameter's kind.
    """

    def written(match: re.Match[str]) -> str:
        name, form = match[1], match[2]
        if name not in parameters:
            return match[0]
        parameter = parameters[name]
        return _written(parameter, form, values.get(name, parameter.value))

    return PLACEHOLDER.sub(written, text)


def _written(parameter: Parameter, form: str | None, value: Any) -> str:
    if parameter.kind == TIME_RANGE:
        start, stop = _range(parameter.name, value)
        return _grain(start, stop) if form == "grain" else _compared(value, start, stop)
    return _choices(parameter.name, value) if parameter.several else _single(parameter, value)


def _choices(name: str, value: Any) -> str:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise InvalidRequest(f"{name}: must be a list of texts")
    if not value or ALL in value:
        return EVERYTHING
    if len(value) > MOST_CHOICES or any(not 0 < len(one) <= LONGEST_CHOICE for one in value):
        raise InvalidRequest(f"{name}: at most {MOST_CHOICES} values of 1 to {LONGEST_CHOICE} characters")
    if not all(one.isprintable() for one in value):
        raise InvalidRequest(f"{name}: values must be printable")
    return ",".join("'{}'".format(one.replace("\\", "\\\\").replace("'", "\\'")) for one in value)


def _single(parameter: Parameter, value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidRequest(f"{parameter.name}: must be a text")
    is_number = parameter.kind == TEXT and _NUMBER.fullmatch(str(parameter.value)) is not None
    if is_number and not _NUMBER.fullmatch(value):
        raise InvalidRequest(f"{parameter.name}: must be a number such as {parameter.value}")
    if not _PLAIN.fullmatch(value):
        raise InvalidRequest(f"{parameter.name}: only letters, digits, spaces and . : / @ + - _ are allowed")
    return "" if value.startswith("value::") else value


def _range(name: str, value: Any) -> tuple[datetime, datetime]:
    """First and last moment of a time range: `durationMs`, or `startTime` and `endTime` in ISO 8601."""
    try:
        if "startTime" in value:
            start, stop = (datetime.fromisoformat(value[key]).astimezone(UTC) for key in ("startTime", "endTime"))
        else:
            stop = datetime.now(UTC)
            start = datetime.fromtimestamp(stop.timestamp() - int(value["durationMs"]) / 1000, UTC)
    except (TypeError, KeyError, ValueError, OverflowError, OSError) as error:
        raise InvalidRequest(f"{name}: must be an object of durationMs, or of startTime and endTime") from error
    if not 60 <= (stop - start).total_seconds() <= LONGEST_RANGE_SECONDS:
        raise InvalidRequest(f"{name}: must be from a minute to {LONGEST_RANGE_SECONDS // 86_400} days long")
    return start, stop


def _compared(value: Mapping[str, Any], start: datetime, stop: datetime) -> str:
    if "startTime" in value:
        return "between (datetime({}) .. datetime({}))".format(
            *(moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") for moment in (start, stop))
        )
    return f"> ago({int(value['durationMs']) // 1000}s)"


def _grain(start: datetime, stop: datetime) -> str:
    seconds = (stop - start).total_seconds()
    return next((grain for most, grain in (*_GRAINS, *_LONG_GRAINS) if seconds <= most + 1), "1d")
