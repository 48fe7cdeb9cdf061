"""ISO 8601 durations as queue settings write them, for example PT1M or P7DT12H."""

import re

_PATTERN = re.compile(
    r"P(?:(?P<days>\d{1,9})D)?(?:T(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,9}(?:\.\d{1,7})?)S)?)?"
)


def parse_duration(text: str) -> float:
    """The duration in seconds.

    Raises:
        ValueError: It is not a duration of days, hours, minutes and seconds.
    """
    match = _PATTERN.fullmatch(text)
    if match is None or text[-1] in "PT":
        raise ValueError(f"{text!r} is not an ISO 8601 duration such as PT30S, PT5M or P1D")
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
