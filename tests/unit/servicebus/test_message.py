"""Messages as they are stored: what is found in them, and what is never touched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.servicebus.amqp.decoder import decode, raw_map
from local.servicebus.amqp.encoder import described, encode, encoded_map
from local.servicebus.amqp.types import Array, Described, Symbol, Timestamp, UInt, ULong
from local.servicebus.broker.errors import BadMessage, NotAllowed
from local.servicebus.broker.message import (
    batched_messages,
    read_content,
    sections,
    with_application_properties,
)
from local.servicebus.broker.stored import State, StoredMessage


def header(*fields: object) -> bytes:
    return described(0x70, encode(list(fields)))


def annotations(**values: object) -> bytes:
    return described(0x72, encode({Symbol(key.replace("_", "-")): value for key, value in values.items()}))


def properties(*fields: object) -> bytes:
    return described(0x73, encode(list(fields)))


def application(**values: object) -> bytes:
    return described(0x74, encode(dict(values)))


BODY = described(0x75, encode(b"body"))


def parts(raw: bytes) -> dict[int, object]:
    return {section.code: decode(raw, section.value)[0] for section in sections(raw)}


def test_what_the_broker_acts_on_is_found() -> None:
    group = [*([None] * 9), "s1"]
    raw = (
        header(True, None, UInt(5000))
        + annotations(x_opt_scheduled_enqueue_time=Timestamp(1_700_000_000_500), x_opt_app="kept")
        + properties("m1", *group)
        + BODY
    )

    content = read_content(raw)

    assert (content.message_id, content.session_id) == (encode("m1"), "s1")
    assert (content.ttl_ms, content.scheduled_at) == (5000, 1_700_000_000.5)
    assert content.bare == properties("m1", *group) + BODY


def test_a_missing_message_id_is_stamped_and_the_rest_stays() -> None:
    for raw in (BODY, properties() + BODY, properties(None, b"user", "to") + application(a="x") + BODY):
        content = read_content(raw)

        stamped, original = parts(content.bare), parts(raw)
        assert len(str(decode(content.message_id)[0])) == 32
        assert stamped.pop(0x73)[0] == decode(content.message_id)[0]  # type: ignore[index]  # sections are lists here
        original.pop(0x73, None)
        assert stamped == original
        assert content.bare.endswith(BODY)


@pytest.mark.parametrize(
    "body", [described(0x76, encode(["a"])), described(0x77, encode({"k": [None]})), BODY + BODY, b""]
)
def test_bodies_and_footers_are_never_touched(body: bytes) -> None:
    footer = described(0x78, encode({Symbol("f"): True})) if body else b""

    content = read_content(properties("m") + body + footer)

    assert content.bare == properties("m") + body + footer


def test_a_delivery_carries_the_brokers_annotations_and_keeps_the_senders() -> None:
    raw = (
        header(True, None, UInt(9))
        + described(0x71, encode({Symbol("x-hop"): True}))
        + annotations(x_opt_sequence_number=UInt(99), x_opt_app=Array(0x52, [UInt(1)]))
        + properties("m")
        + BODY
    )
    message = StoredMessage(read_content(raw), 7, 1000.5, delivery_count=2, lock_token=b"t" * 16, locked_until=1060.0)

    encoded = parts(message.encode())

    assert encoded[0x70] == [True, None, 9, None, 2]
    assert encoded[0x72] == {
        "x-opt-app": Array(0x52, [UInt(1)]),
        "x-opt-sequence-number": 7,
        "x-opt-enqueued-time": 1_000_500,
        "x-opt-locked-until": 1_060_000,
        "x-opt-message-state": 0,
    }
    assert 0x71 not in encoded
    assert message.encode().endswith(properties("m") + BODY)


def test_the_lock_token_of_a_deferred_message_is_in_its_delivery_annotations() -> None:
    message = StoredMessage(read_content(properties("m") + BODY), 1, 0.0, state=State.DEFERRED)

    encoded = parts(message.encode_with_lock_token(encode("token")))

    assert encoded[0x71] == {"x-opt-lock-token": "token"}
    assert list(encoded) == [0x70, 0x71, 0x72, 0x73, 0x75]


def test_application_properties_are_added_and_replaced() -> None:
    before = read_content(header(True) + properties("m") + application(kept="k", changed="old") + BODY)

    after = with_application_properties(before, {"changed": "new", "added": ULong(1)})

    assert parts(after.raw)[0x74] == {"kept": "k", "changed": "new", "added": 1}
    assert after.bare.startswith(properties("m"))
    assert after.bare.endswith(BODY)


@pytest.mark.parametrize("raw", [BODY, properties("m") + BODY, properties("m")])
def test_application_properties_are_put_where_they_belong(raw: bytes) -> None:
    after = with_application_properties(read_content(raw), {"a": "x"})

    codes = [section.code for section in sections(after.raw)]
    assert codes == sorted(codes)
    assert parts(after.raw)[0x74] == {"a": "x"}


@pytest.mark.parametrize(
    "raw",
    [
        b"garbage",
        BODY + b"x",
        described(0x79, encode([])),
        BODY + properties("m"),
        described(0x73, encode({})),
        described(0x72, encode([])),
        described(0x72, encode({UInt(1): True})),
        header(None, None, "soon"),
        annotations(x_opt_scheduled_enqueue_time="tomorrow"),
        properties(["list"]),
        properties(*([None] * 10), b"binary session"),
        b"\x00\x53\x75\xb0\x7f\xff\xff\xff",
    ],
)
def test_what_is_not_a_message_is_refused(raw: bytes) -> None:
    with pytest.raises(BadMessage):
        read_content(raw)


@pytest.mark.parametrize("fields", [["x" * 129], ["m", *([None] * 9), "s" * 129]])
def test_identifiers_have_at_most_128_characters(fields: list[object]) -> None:
    with pytest.raises(NotAllowed, match="129 characters"):
        read_content(properties(*fields))


def test_sections_may_be_named_by_symbols() -> None:
    raw = b"\x00" + encode(Symbol("amqp:data:binary")) + encode(b"x")

    assert [section.code for section in sections(raw)] == [0x75]
    assert parts(read_content(raw).raw)[0x75] == b"x"


def test_a_batch_is_taken_apart() -> None:
    one, two = properties("1") + BODY, properties("2") + BODY
    batch = properties("envelope") + described(0x75, encode(one)) + described(0x75, encode(two))

    assert batched_messages(batch) == [one, two]
    with pytest.raises(BadMessage):
        batched_messages(described(0x75, encode("text")))


@given(st.binary(max_size=150))
def test_random_bytes_are_a_message_or_refused(raw: bytes) -> None:
    for data in (raw, b"\x00\x53" + raw):
        try:
            content = read_content(data)
        except (BadMessage, NotAllowed):
            continue
        assert read_content(content.raw) == content


def test_described_values_in_annotations_survive() -> None:
    value = Described(Symbol("com.microsoft:thing"), "v")
    message = StoredMessage(read_content(annotations(x_opt_app=value) + BODY), 1, 0.0)

    section = next(section for section in sections(message.encode()) if section.code == 0x72)
    assert raw_map(message.encode(), section.value)["x-opt-app"] == encode(value)
    assert encoded_map([]) == b"\xc1\x01\x00"
