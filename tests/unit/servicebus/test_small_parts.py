"""Deadlines, durations, addresses, tokens, configuration."""

import base64
import hmac
import json
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.servicebus.broker.deadlines import COMPACT_FROM, Deadlines
from local.servicebus.broker.duplicates import DuplicateHistory
from local.servicebus.broker.errors import NotSupported, QuotaExceeded, Unauthorized
from local.servicebus.config import DEFAULT_FILE, load_queues
from local.servicebus.durations import parse_duration
from local.servicebus.nodes.addresses import Address, Kind, parse_address
from local.servicebus.nodes.tokens import MAX_AUDIENCES, Authorization, verify


def test_deadlines_come_in_order_and_unwanted_ones_are_dropped() -> None:
    wanted = {1: 5.0, 2: 3.0}
    deadlines: Deadlines[int] = Deadlines(lambda key, at: wanted.get(key) == at)
    for at, key in ((5.0, 1), (3.0, 2), (4.0, 1), (1.0, 3)):
        deadlines.add(at, key)

    assert list(deadlines.due(4.5)) == [2]
    assert deadlines.next() == 5.0
    assert list(deadlines.due(5.0)) == [1]


def test_deadlines_that_nobody_wants_do_not_pile_up() -> None:
    deadlines: Deadlines[int] = Deadlines(lambda key, _at: key >= 99_990)
    for number in range(100_000):
        deadlines.add(float(number), number)

    assert len(deadlines._heap) <= 2 * COMPACT_FROM
    assert list(deadlines.due(1e9)) == list(range(99_990, 100_000))


def test_history_forgets_in_order() -> None:
    history = DuplicateHistory(10)
    history.remember(b"a", 1, 100.0)
    history.remember(b"b", 2, 105.0)

    assert list(history.lapsed(110.0)) == [b"a"]
    assert history.find(b"b", 114.9) is not None
    assert history.find(b"b", 115.0) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("PT30S", 30), ("PT1M", 60), ("PT1H30M", 5400), ("P1D", 86400), ("P1DT1S", 86401), ("PT0.5S", 0.5)],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "P", "PT", "1M", "PT1", "PT-1S", "P1M", "PT1M30", "P1DT"])
def test_what_is_not_a_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an ISO 8601 duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("$cbs", Address(Kind.TOKENS, "")),
        ("amqps://localhost:5672/Chat", Address(Kind.QUEUE, "chat")),
        ("chat", Address(Kind.QUEUE, "chat")),
        ("/chat/$Management/", Address(Kind.MANAGEMENT, "chat")),
        ("sb://h/chat/$DeadLetterQueue", Address(Kind.QUEUE, "chat/$deadletterqueue")),
        ("chat/$DeadLetterQueue/$management", Address(Kind.MANAGEMENT, "chat/$deadletterqueue")),
    ],
)
def test_addresses_are_read(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["t/Subscriptions/s", "q/$Transfer/$DeadLetterQueue"])
def test_addresses_of_other_entities_are_named_as_not_covered(text: str) -> None:
    with pytest.raises(NotSupported, match="not covered"):
        parse_address(text)


def token(resource: str, key: str, expiry: int) -> str:
    encoded = quote_plus(resource)
    digest = hmac.new(key.encode(), f"{encoded}\n{expiry}".encode(), sha256).digest()
    signature = quote_plus(base64.b64encode(digest).decode())
    return f"SharedAccessSignature sr={encoded}&sig={signature}&se={expiry}&skn=Root"


def test_a_known_signature_verifies() -> None:
    # printf 'sb%%3A%%2F%%2Fhost%%2Fq\n2000000000' | openssl dgst -sha256 -hmac SAS_KEY_VALUE -binary | base64
    text = "SharedAccessSignature sr=sb%3A%2F%2Fhost%2Fq&sig=@&se=2000000000&skn=RootManageSharedAccessKey"
    signature = "pJrJjs9yj07H6XDtE5LxfPzxfVUHL9dhHeoerEuOKcg="

    assert verify(text.replace("@", quote_plus(signature)), "SAS_KEY_VALUE", 1e9) == ("q", 2e9)


def test_a_token_covers_its_path_and_everything_below_until_it_expires() -> None:
    now = [1000.0]
    authorization = Authorization("k", lambda: now[0])
    authorization.put(token("sb://h/chat", "k", 1100), "sb://h/chat")

    authorization.require("chat")
    authorization.require("chat/$deadletterqueue")
    for entity in ("chatter", "other"):
        with pytest.raises(Unauthorized):
            authorization.require(entity)
    now[0] = 1100.0
    with pytest.raises(Unauthorized):
        authorization.require("chat")


def test_the_number_of_tokens_is_bounded() -> None:
    authorization = Authorization("k", lambda: 0.0)
    namespace = token("sb://h/", "k", 100)
    for number in range(MAX_AUDIENCES):
        authorization._expiries[f"q{number}"] = 100.0

    with pytest.raises(QuotaExceeded):
        authorization.put(namespace, "sb://h/one-more")


@given(st.text())
def test_any_other_text_is_not_a_token(text: str) -> None:
    for candidate in (text, "SharedAccessSignature " + text):
        with pytest.raises(Unauthorized):
            verify(candidate, "k", 0.0)


def write(folder: Path, document: Any) -> Path:
    file = folder / "config.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return file


def namespace(*queues: Any, **more: Any) -> dict[str, Any]:
    return {"UserConfig": {"Namespaces": [{"Name": "sbemulatorns", "Queues": list(queues), **more}]}}


def test_the_shipped_configuration_is_valid() -> None:
    queues = {queue.name: queue for queue in load_queues(DEFAULT_FILE, 1)}

    assert queues["replies"].requires_session
    assert queues["chat-interactive"].duplicate_window_seconds == 300


def test_settings_that_are_left_out_have_the_services_defaults(tmp_path: Path) -> None:
    (queue,) = load_queues(write(tmp_path, namespace({"Name": "q"})), 5)

    assert (queue.lock_seconds, queue.max_delivery_count, queue.time_to_live_seconds) == (60, 10, None)
    assert (queue.requires_session, queue.duplicate_window_seconds, queue.max_bytes) == (False, 0, 5)


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ("{", "is not JSON"),
        ([], "the file.UserConfig must be an object"),
        ({"UserConfig": {"Namespaces": []}}, "must hold one namespace, not 0"),
        (namespace(), "declares no queue"),
        (namespace({"Name": "q"}, {"Name": "Q"}), "declares q more than once"),
        (namespace({"Name": ""}), "'' is not a queue name"),
        (namespace({"Name": "a$b"}), "is not a queue name"),
        (namespace({"Name": 5}), "Name must be a string, not 5"),
        (namespace("q"), "Queues[0].Name must be a string"),
        (namespace({"Name": "q"}, Topics=[{"Name": "t"}]), "topics are not covered"),
        (namespace({"Name": "q", "Properties": {"MaxDeliveryCount": True}}), "must be a whole number, not true"),
        (namespace({"Name": "q", "Properties": {"LockDuration": "PT0S"}}), "must be more than 0"),
    ],
)
def test_a_wrong_configuration_says_where_and_what(tmp_path: Path, document: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=r".*config\.json") as caught:
        load_queues(write(tmp_path, document), 1)
    assert complaint in str(caught.value)
