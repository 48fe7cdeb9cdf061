"""What an answer depends on, as a hash."""

import hashlib
import json
from typing import Any

from shared.settings import Settings
from shared.turns import Turn

FORM = 1
"""Changes when entries of an older app must not be used any more."""


def scope_of(turn: Turn, settings: Settings, prompt_version: str) -> str:
    """Hash of everything but the conversation and the knowledge's version: model, instructions, parameters, limits."""
    depends_on: dict[str, Any] = {
        "form": FORM,
        "model": turn.model or settings.default_model,
        "max_output_tokens": turn.max_output_tokens or settings.max_output_tokens,
        "parameters": turn.parameters,
        "context": None,
    }
    if turn.use_context:
        depends_on["context"] = [
            prompt_version,
            settings.knowledge_enabled,
            settings.knowledge_passages,
            settings.embedding_dimensions,
        ]
    return _hash(depends_on)


def key_of(turn: Turn, scope: str) -> str:
    """Hash of the scope and every message of the conversation, to the letter."""
    return _hash([scope, [message.as_dict() for message in turn.messages]])


def slot_of(key: str, entries: int) -> int:
    """The one place of `entries` where an answer with this key can be, so that no tenant has more of them."""
    return int(key[:15], 16) % entries


def alike_of(scope: str, version: str) -> str:
    """Hash that two answers share when only their questions differ."""
    return _hash([scope, version])


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
