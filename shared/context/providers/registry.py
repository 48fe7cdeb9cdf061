"""The providers of this app, in the order in which what they found goes into the prompt. Add yours here."""

from collections.abc import Sequence

from shared.context.providers.base import ContextProvider
from shared.context.providers.history import History
from shared.context.providers.knowledge import KnowledgeSearch
from shared.context.providers.profile import CustomerProfile
from shared.ports import Clock, Embedder, Knowledge, Profiles, SessionStore, TokenCounter
from shared.settings import Settings


def context_providers(
    settings: Settings,
    *,
    sessions: SessionStore,
    profiles: Profiles,
    knowledge: Knowledge,
    embedder: Embedder | None,
    counter: TokenCounter,
    clock: Clock,
) -> Sequence[ContextProvider]:
    """All that a turn may be answered from."""
    history = History(sessions, counter, turns=settings.history_turns, tokens=settings.history_tokens)
    providers: list[ContextProvider] = [history, CustomerProfile(profiles)]
    if settings.knowledge_enabled and embedder is not None:
        providers.append(KnowledgeSearch(knowledge, embedder, clock, passages=settings.knowledge_passages))
    return providers
