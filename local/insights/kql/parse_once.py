"""SQL that reads several values of one bag parses the bag once for all of them.

The translator says each `customDimensions["x"]` as a call that parses the whole text of the bag again. Here they are
said as elements of one list of all values that are wanted; DuckDB sees that these are the same list and makes it once
for each row.
"""

import re
from typing import Final

_PIECES: Final = re.compile(r"(?m)(?=^ *(?:WITH )?_s\d+ AS \()")
_ACCESS: Final = re.compile(r"""json_extract\((?P<bag>"\w+"), (?P<path>'\$(?:\.\w+|\."[\w. /-]+")+')\)""")


def parse_once(sql: str) -> str:
    """The same query, in which values of one bag that are read together are extracted together."""
    return "".join(map(_together, _PIECES.split(sql)))


def _together(piece: str) -> str:
    """One common table expression: the least in which values can be shared."""
    paths: dict[str, list[str]] = {}
    for match in _ACCESS.finditer(piece):
        found = paths.setdefault(match["bag"], [])
        if match["path"] not in found:
            found.append(match["path"])

    def written(match: re.Match[str]) -> str:
        found = paths[match["bag"]]
        if len(found) == 1:
            return match[0]
        return f"json_extract({match['bag']}, [{', '.join(found)}])[{found.index(match['path']) + 1}]"

    return _ACCESS.sub(written, piece)
