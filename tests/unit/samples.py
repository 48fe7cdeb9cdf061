"""Turns and settings for tests."""

import dataclasses
import json
from typing import Any

from shared.turns import Lane, Message, Turn

DEPLOYMENTS = [{"name": "chat", "model": "gpt-4o-mini", "endpoint": "http://127.0.0.1:1/openai/v1"}]
ENVIRONMENT = {
    "COSMOS_ENDPOINT": "http://127.0.0.1:1",
    "COSMOS_KEY": "a2V5",
    "ServiceBusConnection": "Endpoint=sb://localhost;SharedAccessKeyName=a;SharedAccessKey=b;UseDevelopmentEmulator=true",
    "SPILLWAY_DEPLOYMENTS": json.dumps(DEPLOYMENTS),
    "SPILLWAY_OPENAI_KEY": "key",
    "SPILLWAY_SWEEP_SCHEDULE": "*/15 * * * * *",
}


def a_turn(**changes: Any) -> Turn:
    turn = Turn(
        turn_id="0" * 32,
        tenant="contoso",
        session_id="s",
        lane=Lane.INTERACTIVE,
        messages=(Message("user", "Hello"),),
        created_at=1000.0,
        deadline_at=2000.0,
    )
    return dataclasses.replace(turn, **changes)
