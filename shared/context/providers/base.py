"""What a provider of context is, and what it can give."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from shared.context.steps import Steps
from shared.ports import Passage
from shared.turns import Message, Turn


@dataclass(frozen=True, slots=True)
class Found:
    """What a provider found for a turn.

    Attributes:
        facts: Sentences that the model is told beside its instructions; they are no sources to cite.
        passages: Sources, which the answer can cite.
        messages: Earlier messages of the conversation, oldest first.
        notes: For the timeline: numbers, never content.
    """

    facts: tuple[str, ...] = ()
    passages: tuple[Passage, ...] = ()
    messages: tuple[Message, ...] = ()
    notes: Mapping[str, int] = field(default_factory=dict)


NOTHING = Found()


class ContextProvider(Protocol):
    """One step of the context. All providers of a turn run at once, each under the time budget of a step."""

    @property
    def name(self) -> str:
        """One word; the step is called so in timelines, metrics and log lines."""

    def applies(self, turn: Turn, /) -> bool:
        """Whether there is something to look for; decided at once, without I/O."""

    async def gather(self, turn: Turn, steps: Steps, /) -> Found:
        """What there is for a turn.

        It is cancelled when its time is over, and may raise: the turn is then answered without it, and told so.

        Args:
            turn: Its tenant is whose data may be read, and nobody else's.
            steps: Where parts of the work may be timed apart.
        """
