"""Spillway and LiteLLM's proxy side by side: each one process on one core, the same simulator, prompts and callers.

Both are asked over OpenAI's own route. The gateway has a core to itself; simulator, broker, store and callers share the
other. What each adds to the first token is measured against the model in the same round; then as many callers as it
takes fill each in turn; then each carries more and more streams at once. How busy both cores were is reported, so that
a figure which the rig limited can be told.
"""

import json
import os
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bench.clients import Plan, call
from bench.machine import machine, percentiles, write
from bench.single import Caller, undisturbed
from tests.acceptance.stack import MODEL, USER, Stack, deployments
from tests.processes import ROOT

GATEWAY_CORE, RIG_CORE = 0, 1
RIVALS = ROOT / ".venv-rivals"
ROUNDS, WARM_UP = 250, 20
TOKENS = 16
BETWEEN_TOKENS_MS = 2
TURNS_OF_FILLING, SECONDS_OF_FILLING, CALLERS = 3, 7.0, 64
SLOW_MODEL, SLOW_TOKENS, SLOW_MS = "slow-model", 50, 20
LEVELS = (1, 4, 16, 32, 64)
LONGEST_PAUSE_MS = 200
QUESTION = "What are your opening hours, and do you deliver on Saturdays?"
RIVAL_KEY = "sk-loopback-only"
BARS = {"added_p50_ratio": 0.25, "requests_ratio": 3.0}


@dataclass(frozen=True)
class Gateway:
    """One of the two: where it answers and which process it is."""

    url: str
    path: str
    headers: dict[str, str]
    process: psutil.Process

    def body(self, model: str = MODEL) -> dict[str, Any]:
        """The question in OpenAI's form."""
        return {"model": model, "messages": [{"role": "user", "content": QUESTION}], "stream": True, "max_tokens": 200}

    def plan(self, model: str = MODEL, **how: Any) -> Plan:
        """A plan for many callers."""
        return Plan(self.url, self.path, self.headers, self.body(model), **how)

    def cpu_seconds(self) -> float:
        """CPU of the process and its children so far."""
        times = [process.cpu_times() for process in [self.process, *self.process.children(recursive=True)]]
        return float(sum(time.user + time.system for time in times))

    def resident_mib(self) -> float:
        """Memory of the process and its children."""
        processes = [self.process, *self.process.children(recursive=True)]
        return float(round(sum(process.memory_info().rss for process in processes) / 2**20, 1))


def models() -> dict[str, Any]:
    """A quick deployment for latency and filling, and one with 20 ms a token for streams."""
    config = deployments(count=2, between_tokens_ms=BETWEEN_TOKENS_MS, answer_tokens=TOKENS)
    slow = config["deployments"][1]
    slow["model"], slow["answer_tokens"] = SLOW_MODEL, SLOW_TOKENS
    slow["latency"] = slow["latency"] | {"between_tokens_ms": SLOW_MS}
    return config


@contextmanager
def spillway(folder: Path) -> Iterator[tuple[Stack, Gateway]]:
    """The stack on the rig's core, the instance that answers HTTP on its own."""
    others = ("answer_interactive", "answer_standard", "answer_batch", "score_answer")
    stack = Stack(
        folder,
        models=models(),
        settings={
            "SPILLWAY_KNOWLEDGE_ENABLED": "false",
            "SPILLWAY_SWEEP_SCHEDULE": "0 0 0 1 1 *",
            "SPILLWAY_MAX_DIRECT_TURNS": "1000",
            # All callers are of one tenant.
            "SPILLWAY_MAX_TENANT_TURNS": "1000",
        },
        host_options=("--instances", "http=1", *(f"--instances=function:{name}=0" for name in others)),
    )
    try:
        stack.start()
        process = psutil.Process(stack.parts["app"].ready["instances"][0]["pid"])
        for thread in process.threads():
            os.sched_setaffinity(thread.id, {GATEWAY_CORE})
        headers = {"authorization": f"Bearer {USER}"}
        yield stack, Gateway(stack.url, "/api/openai/v1/chat/completions", headers, process)
    finally:
        stack.stop()


@contextmanager
def rival(folder: Path, model_url: str) -> Iterator[Gateway]:
    """LiteLLM's proxy with one worker, set up as its documentation advises for production."""
    entries = [
        {
            "model_name": name,
            "litellm_params": {
                "model": f"openai/chat-{number}",
                "api_base": f"{model_url}/account{number}/openai/v1",
                "api_key": "local-openai-key",
            },
        }
        for number, name in enumerate((MODEL, SLOW_MODEL))
    ]
    config = folder / "litellm.yaml"
    config.write_text(json.dumps({"model_list": entries}))
    port = _free_port()
    environment = {
        **os.environ,
        "LITELLM_MASTER_KEY": RIVAL_KEY,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_MODE": "PRODUCTION",
        "LITELLM_LOG": "ERROR",
    }
    command = [str(RIVALS / "bin" / "litellm"), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "litellm.log").open("wb") as log:
        process = subprocess.Popen(
            ["taskset", "-c", str(GATEWAY_CORE), *command, "--num_workers", "1", "--telemetry", "False"],
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/health/readiness", process, folder / "litellm.log")
        headers = {"authorization": f"Bearer {RIVAL_KEY}"}
        yield Gateway(url, "/v1/chat/completions", headers, psutil.Process(process.pid))
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _free_port() -> int:
    import socket  # noqa: PLC0415

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 90
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"LiteLLM's proxy did not start:\n{log.read_text(errors='replace')[-2000:]}")


def first_tokens(model_url: str, gateways: dict[str, Gateway]) -> dict[str, Any]:
    """One caller: what each gateway adds to the model's first token.

    The gateways take turns, and each is asked right after the model: what the one still does for its last turn, and
    what the machine does at that moment, is not counted for the other.
    """
    body = {
        "model": "chat-0",
        "messages": [{"role": "user", "content": QUESTION}],
        "stream": True,
        "max_completion_tokens": 200,
    }
    model, callers = Caller(model_url), {name: Caller(gateway.url) for name, gateway in gateways.items()}
    base: list[float] = []
    added: dict[str, list[float]] = {name: [] for name in gateways}
    with undisturbed():
        for number in range(WARM_UP + ROUNDS):
            for name, gateway in gateways.items():
                direct = model.ask("/account0/openai/v1/chat/completions", {"api-key": "local-openai-key"}, body)
                seen = callers[name].ask(gateway.path, gateway.headers, gateway.body())
                if number >= WARM_UP:
                    base.append(direct["first_ms"])
                    added[name].append(seen["first_ms"] - direct["first_ms"])
    return {
        "model_ms": percentiles(base, 50, 99),
        "added_ms": {name: percentiles(values, 50, 95, 99) for name, values in added.items()},
    }


def filled(gateway: Gateway) -> dict[str, Any]:
    """As many requests as the gateway can answer for some seconds, and what it used for them."""
    cpu, rig = gateway.cpu_seconds(), psutil.cpu_times(percpu=True)[RIG_CORE]
    seen = call(gateway.plan(callers=CALLERS, requests=0, seconds=SECONDS_OF_FILLING))
    used, after = gateway.cpu_seconds() - cpu, psutil.cpu_times(percpu=True)[RIG_CORE]
    return {
        "requests_per_second": round(seen["complete"] / seen["seconds"], 1),
        "incomplete": seen["answers"] - seen["complete"],
        "first_ms": percentiles(seen["first_ms"], 50, 99),
        "cpu_ms_per_request": round(1000 * used / max(1, seen["complete"]), 2),
        "gateway_core_percent": round(100 * used / seen["seconds"], 1),
        "rig_core_idle_percent": round(100 * (after.idle - rig.idle) / seen["seconds"], 1),
    }


def carried(gateway: Gateway) -> dict[str, Any]:
    """The most streams of 20 ms tokens at once without missing text or a pause over 200 ms."""
    best, levels = 0, dict[str, Any]()
    for level in LEVELS:
        seen = call(gateway.plan(SLOW_MODEL, callers=level, spread_seconds=0.5, details=True))
        most = max(stream["gap_ms"] for stream in seen["streams"])
        levels[str(level)] = {"complete": seen["complete"], "longest_pause_ms": most}
        if seen["complete"] < level or most > LONGEST_PAUSE_MS:
            break
        best = level
    return {"streams": best, "levels": levels}


def run() -> dict[str, Any]:
    """Both gateways in one sitting."""
    if not (RIVALS / "bin" / "litellm").exists():
        raise SystemExit("There is no .venv-rivals: run `make bench-proxy`, which makes it.")
    description = machine()
    os.sched_setaffinity(0, {RIG_CORE})
    with tempfile.TemporaryDirectory() as name, spillway(Path(name)) as (stack, ours):
        model_url = stack.parts["model"].url
        with rival(Path(name), model_url) as theirs:
            gateways = {"spillway": ours, "litellm": theirs}
            latency = first_tokens(model_url, gateways)
            runs: dict[str, list[dict[str, Any]]] = {gateway: [] for gateway in gateways}
            for _ in range(TURNS_OF_FILLING):
                for gateway, taken in runs.items():
                    taken.append(filled(gateways[gateway]))
            memory = {gateway: each.resident_mib() for gateway, each in gateways.items()}
            streams = {gateway: carried(each) for gateway, each in gateways.items()}
    result = {
        "machine": description,
        "litellm": _version(),
        "conditions": f"one process on one core each, everything else on the other core; first token after 20 ms, "
        f"{TOKENS} tokens {BETWEEN_TOKENS_MS} ms apart; filling: {CALLERS} callers; Spillway stores every turn, "
        "LiteLLM has no database",
        "first_token": latency,
        "filling": runs,
        "resident_mib": memory,
        "streams_of_20_ms_tokens": streams,
        "ratios": _ratios(latency, runs),
        "bars": BARS,
    }
    write("proxy", result)
    return result


def _ratios(latency: dict[str, Any], runs: dict[str, list[dict[str, Any]]]) -> dict[str, float]:
    added = latency["added_ms"]
    best = {name: sorted(taken["requests_per_second"] for taken in some)[len(some) // 2] for name, some in runs.items()}
    cpu = {name: sorted(taken["cpu_ms_per_request"] for taken in some)[len(some) // 2] for name, some in runs.items()}
    return {
        "added_p50": round(added["spillway"]["p50"] / added["litellm"]["p50"], 3),
        "added_p99": round(added["spillway"]["p99"] / added["litellm"]["p99"], 3),
        "requests": round(best["spillway"] / best["litellm"], 2),
        "cpu_per_request": round(cpu["spillway"] / cpu["litellm"], 3),
    }


def _version() -> str:
    command = [str(RIVALS / "bin" / "python"), "-c", "import importlib.metadata as m; print(m.version('litellm'))"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
