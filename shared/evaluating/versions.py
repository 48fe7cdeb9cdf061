"""Names for what an answer was made with."""

import hashlib

from shared.context.prompt import default_instructions
from shared.settings import Settings


def prompt_version(settings: Settings) -> str:
    """A short name for the instructions in force: another text is another version."""
    instructions = settings.system_prompt or default_instructions()
    return hashlib.sha256(instructions.encode()).hexdigest()[:8]
