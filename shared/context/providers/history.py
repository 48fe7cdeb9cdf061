"""The conversation so far."""

from collections.abc import Sequence
from typing import Any

from shared.context.providers.base import Found
from shared.context.steps import Steps
from shared.ports import SessionStore, TokenCounter
from shared.turns import Message, State, Turn

TRIMMED = "history_trimmed_turns"
Pair = tuple[Message, Message]


class History:
    """The last answered turns of the session, when the caller does not send them along."""

    name = "history"

    def __init__(self, sessions: SessionStore, counter: TokenCounter, *, turns: int, tokens: int) -> None:
        """Takes where conversations are, what counts tokens, and how many turns and tokens the model sees at most."""
        self._sessions, self._counter, self._turns, self._tokens = sessions, counter, turns, tokens

    def applies(self, turn: Turn) -> bool:
        """See `ContextProvider`."""
        return self._turns > 0 and not turn.new_session and len(turn.messages) == 1

    async def recent(self, turn: Turn) -> list[dict[str, Any]]:
        """The session's last turns; see `SessionStore.recent`."""
        return await self._sessions.recent(turn.tenant, turn.session_id, self._turns)

    async def gather(self, turn: Turn, steps: Steps) -> Found:
        """See `ContextProvider`."""
        earlier = await (self.recent(turn) if steps.sources is None else steps.sources.history())
        pairs = [
            (Message("user", entry["question"]), Message("assistant", entry["answer"]))
            for entry in earlier
            if entry["state"] == State.SUCCEEDED.value and entry["turn_id"] != turn.turn_id
        ]
        kept = self._newest(pairs)
        trimmed = len(pairs) - len(kept)
        messages = tuple(message for pair in kept for message in pair)
        return Found(messages=messages, notes={TRIMMED: trimmed} if trimmed else {})

    def _newest(self, pairs: Sequence[Pair]) -> Sequence[Pair]:
        """As many of the last turns, each whole, as fit into the tokens."""
        left = self._tokens
        for number, pair in enumerate(reversed(pairs)):
            left -= sum(self._counter.count(message.content) for message in pair)
            if left < 0:
                return pairs[len(pairs) - number :]
        return pairs
