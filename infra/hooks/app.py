"""The deployed app as a caller sees it."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.hooks.console import HookError, say

ANSWER_SECONDS = 120
PAUSE_SECONDS = 5.0
OVER = frozenset({"succeeded", "failed", "expired", "cancelled"})
"""States of a turn after which nothing more happens."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status (0 when nobody answered), headers in lower case, and the body as JSON or None."""

    status: int
    headers: Mapping[str, str]
    body: Any

    def said(self) -> str:
        """The reason of a refusal in the app's own words, where it gave one."""
        error = self.body.get("error") if isinstance(self.body, dict) else None
        reason = error.get("message") if isinstance(error, dict) else None
        return f"{self.status}: {reason or self.body}"


@dataclass(frozen=True, slots=True)
class App:
    """The app at its address.

    Attributes:
        url: Address without a path, such as https://NAME.azurewebsites.net.
        authorization: Headers that carry the credential.
        pause: Sleeps; tests give one that does not.
    """

    url: str
    authorization: Mapping[str, str]
    pause: Callable[[float], None] = time.sleep

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """One request; faults of the network are an answer with status 0."""
        request = urllib.request.Request(  # noqa: S310  the address is the deployment's own output
            f"{self.url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **self.authorization},
        )
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as response:  # noqa: S310  see above
                return _answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as refusal:
            with refusal:
                return _answer(refusal.code, refusal.headers, refusal.read())
        except OSError as fault:
            return Answer(0, {}, str(fault))

    def wait_for(self, path: str, what: str, seconds: float) -> None:
        """Asks until the answer is 200.

        Raises:
            HookError: It was not, all the time; the message has the last answer.
        """
        say(f"Waiting until {what} ...")
        answer = self.ask("GET", path)
        for _ in range(int(seconds / PAUSE_SECONDS)):
            if answer.status == 200:
                return
            self.pause(PAUSE_SECONDS)
            answer = self.ask("GET", path)
        if answer.status != 200:
            raise HookError(f"{self.url}{path} did not answer 200 within {seconds:g} s. Last answer {answer.said()}")

    def turn(self, question: str, seconds: float) -> dict[str, Any]:
        """Asks a question and waits for the end of its turn.

        Raises:
            HookError: It was refused, or did not end in time.
        """
        answer = self.ask("POST", "/api/chat", {"message": question})
        for _ in range(int(seconds / PAUSE_SECONDS)):
            if answer.status not in {200, 202}:
                raise HookError(f"The question was refused. {answer.said()}")
            if answer.body.get("state") in OVER:
                return dict(answer.body)
            self.pause(PAUSE_SECONDS)
            answer = self.ask("GET", f"/api/chat/{answer.body['turn_id']}")
        raise HookError(f"The turn did not end within {seconds:g} s. Last answer {answer.said()}")


def _answer(status: int, headers: Any, content: bytes) -> Answer:
    try:
        body = json.loads(content) if content else None
    except ValueError:
        body = content[:200].decode(errors="replace")
    return Answer(status, {name.lower(): value for name, value in headers.items()}, body)
