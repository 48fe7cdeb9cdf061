"""Structured log lines: a fixed action word and ids. Never text of a conversation, never a key."""

import logging
from typing import Any

LOGGER_NAME = "spillway"
_logger = logging.getLogger(LOGGER_NAME)


def quieten() -> None:
    """Keeps the libraries from logging every request; what matters of a call is in its turn's record."""
    for name in ("azure", "httpx2", "openai", "httpcore2"):
        logging.getLogger(name).setLevel(logging.WARNING)


def info(action: str, **fields: Any) -> None:
    """Something that operators want to see happened."""
    _write(logging.INFO, action, fields)


def warning(action: str, **fields: Any) -> None:
    """Something went wrong and was dealt with."""
    _write(logging.WARNING, action, fields)


def failure(action: str, fault: BaseException, **fields: Any) -> None:
    """Something went wrong that nobody expected and a person has to look at; the traceback is attached."""
    _write(logging.ERROR, action, fields, fault)


def _write(level: int, action: str, fields: dict[str, Any], fault: BaseException | None = None) -> None:
    if _logger.isEnabledFor(level):
        text = " ".join(f"{name}={value}" for name, value in fields.items() if value is not None)
        _logger.log(level, "%s %s", action, text, extra={"action": action, **fields}, exc_info=fault)
