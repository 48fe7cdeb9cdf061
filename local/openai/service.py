"""The state of the running service: its deployments with their quotas, its faults, its account of calls."""

import time
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from local.openai.calls import Call, Ledger
from local.openai.config import Deployment
from local.openai.errors import ambiguous_deployment, no_such_deployment
from local.openai.faults import Faults
from local.openai.quota.decision import Decision, Standing
from local.openai.quota.peaks import Peak
from local.openai.quota.provisioned import ProvisionedQuota
from local.openai.quota.standard import StandardQuota
from local.openai.timing import Timing
from local.openai.tokens import Tokenizer


class Quota(Protocol):
    """What both tiers' quotas can be asked."""

    tokens_per_minute: int
    requests_per_minute: int

    def admit(self, now: float, estimate: int, *, token_limit: int | None = None) -> Decision: ...
    def count_request(self, now: float) -> float: ...
    def settle(self, now: float, estimate: int, actual: int) -> None: ...
    def standing(self, now: float, *, token_limit: int | None = None) -> Standing: ...


class Tally:
    """Sums over all calls of one deployment."""

    def __init__(self, window_seconds: float) -> None:
        self.outcomes: Counter[str] = Counter()
        self.in_flight = 0
        self.most_in_flight = 0
        self.admitted_tokens = 0
        self.prompt_tokens = 0
        self.output_tokens = 0
        self.tokens_in_window = Peak(window_seconds)
        self.requests_in_slice = [Peak(1.0), Peak(10.0), Peak(60.0)]
        self.highest_utilization_percent: float | None = None

    def arrive(self) -> None:
        """Counts a call in."""
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def admit(self, now: float, estimate: int, utilization_percent: float | None) -> None:
        """Counts an admission."""
        self.admitted_tokens += estimate
        self.tokens_in_window.add(now, estimate)
        for peak in self.requests_in_slice:
            peak.add(now, 1)
        if utilization_percent is not None:
            self.highest_utilization_percent = max(self.highest_utilization_percent or 0.0, utilization_percent)

    def leave(self, call: Call) -> None:
        """Counts a call out."""
        self.in_flight -= 1
        self.outcomes[call.outcome] += 1
        self.prompt_tokens += call.prompt_tokens
        self.output_tokens += call.output_tokens


class Running:
    """One deployment while the service runs."""

    def __init__(self, deployment: Deployment, seed: int, window_seconds: float) -> None:
        self.deployment = deployment
        self._seed = seed
        self._window_seconds = window_seconds
        self.reset()

    def reset(self) -> None:
        """Starts quota, timing and sums afresh; the settings stay."""
        deployment = self.deployment
        tier = ProvisionedQuota if deployment.tier == "provisioned" else StandardQuota
        self.quota: Quota = tier(deployment.tokens_per_minute, deployment.requests_per_minute, self._window_seconds)
        self.timing = Timing(self._seed, deployment.key)
        self.tally = Tally(self._window_seconds)

    def change(self, deployment: Deployment) -> None:
        """Takes new settings; what is charged already stays charged."""
        self.deployment = deployment
        self.quota.tokens_per_minute = deployment.tokens_per_minute
        self.quota.requests_per_minute = deployment.requests_per_minute


class Service:
    """Everything the handlers work on.

    Args:
        deployments: As configured.
        key: The key that callers must send.
        seed: Of all draws.
        window_seconds: Length of the window that admits `tokens_per_minute` tokens.
        keep_calls: How many calls the account keeps.
        most_body_bytes: The largest request body.
    """

    def __init__(
        self,
        deployments: Sequence[Deployment],
        *,
        key: str,
        seed: int,
        window_seconds: float,
        keep_calls: int,
        most_body_bytes: int,
    ) -> None:
        self.configured = tuple(deployments)
        self.running = [Running(deployment, seed, window_seconds) for deployment in deployments]
        self.key = key.encode()
        self.seed = seed
        self.most_body_bytes = most_body_bytes
        self.window_seconds = window_seconds
        self.started_at = time.time()
        self._keep_calls = keep_calls
        self.ledger = self._new_ledger()
        self.faults = Faults(seed)
        self.unrouted = Tally(window_seconds)
        self.tokenizer = Tokenizer()

    def reset(self) -> None:
        """Back to the state at the start: settings, quotas, sums, faults and the account of calls.

        Calls that are under way go on; what becomes of them is no longer accounted for.
        """
        for running, deployment in zip(self.running, self.configured, strict=True):
            running.deployment = deployment
            running.reset()
        self.faults = Faults(self.seed)
        self.unrouted = Tally(self.window_seconds)
        self.ledger = self._new_ledger()

    def _new_ledger(self) -> Ledger:
        return Ledger(self._keep_calls, time.time() - time.monotonic())

    def selected(self, selector: str) -> list[Running]:
        """The deployments that `name` or `account/name` means."""
        return [running for running in self.running if running.deployment.answers_to(selector)]

    def of_account(self, account: str | None) -> list[Running]:
        """The deployments of one account, of all accounts on the bare path."""
        return [running for running in self.running if account in {None, running.deployment.account}]

    def find(self, account: str | None, name: str) -> Running:
        """The deployment that a call means.

        Raises:
            ServiceError: 404, there is none, or the bare path leaves open which one.
        """
        found = [running for running in self.of_account(account) if running.deployment.name == name]
        if not found:
            raise no_such_deployment()
        if len(found) > 1:
            raise ambiguous_deployment(name, [running.deployment.account for running in found])
        return found[0]
