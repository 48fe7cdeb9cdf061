"""Built-in functions, by subject; importing this package fills the registry."""

from local.cosmos.sql.functions import arrays, dates, numbers, strings
from local.cosmos.sql.functions.registry import FUNCTIONS, Function
from local.cosmos.sql.functions.types import TYPE_CHECKS

__all__ = ["FUNCTIONS", "TYPE_CHECKS", "Function", "arrays", "dates", "numbers", "strings"]
