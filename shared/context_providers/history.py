"""The conversation so far."""

from shared.context_providers.base import Found
from shared.context_steps import Steps
from shared.ports import SessionStore
from shared.turns import Message, State, Turn


class History:
    """The last answered turns of the session, when the caller does not send them along."""

    name = "history"

    def __init__(self, sessions: SessionStore, *, turns: int) -> None:
        """Takes where conversations are, and how many turns the model sees."""
        self._sessions, self._turns = sessions, turns

    def applies(self, turn: Turn) -> bool:
        """See `ContextProvider`."""
        return self._turns > 0 and not turn.new_session and len(turn.messages) == 1

    async def gather(self, turn: Turn, _steps: Steps) -> Found:
        """See `ContextProvider`."""
        earlier = await self._sessions.recent(turn.tenant, turn.session_id, self._turns)
        answered = [
            entry for entry in earlier if entry["state"] == State.SUCCEEDED.value and entry["turn_id"] != turn.turn_id
        ]
        pairs = [(Message("user", entry["question"]), Message("assistant", entry["answer"])) for entry in answered]
        return Found(messages=tuple(message for pair in pairs for message in pair))
