"""How a judge can fail, to be switched on and off while it runs."""

import json
from dataclasses import dataclass
from typing import Any

KINDS = ("prose", "fence", "out_of_range", "nothing", "quota", "cut", "stall")


@dataclass(slots=True)
class Fault:
    """One way to fail.

    Attributes:
        evaluator: Strikes requests of this evaluator only; empty for all.
        item: Strikes requests whose material contains this text; empty for all.
        count: How many more requests it strikes; None without end.
    """

    kind: str
    evaluator: str = ""
    item: str = ""
    count: int | None = None
    retry_after_ms: int = 300
    struck: int = 0

    def strikes(self, evaluator: str, material: str) -> bool:
        """Whether it strikes a request, which is then counted."""
        if self.count == 0 or self.evaluator not in {"", evaluator} or self.item not in material:
            return False
        self.count = None if self.count is None else self.count - 1
        self.struck += 1
        return True

    def spoil(self, reply: str) -> str:
        """What the judge says instead."""
        if self.kind == "prose":
            return "I would say that this answer is quite good."
        if self.kind == "fence":
            return f"```json\n{reply}\n```"
        if self.kind == "out_of_range":
            value = json.loads(reply)
            return json.dumps({name: 6 if name == "score" else entry for name, entry in value.items()})
        return "" if self.kind == "nothing" else reply


def read_fault(wish: Any) -> Fault:
    """Reads a fault.

    Raises:
        ValueError: It is not one.
    """
    if not isinstance(wish, dict) or wish.get("kind") not in KINDS:
        raise ValueError(f"kind: choose one of {', '.join(KINDS)}")
    try:
        return Fault(**wish)
    except TypeError as error:
        raise ValueError(f"fault: {error}") from error
