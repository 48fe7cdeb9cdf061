"""The AMQP 1.0 type system: encodings of the specification, round trips, and hostile bytes."""

import struct
import time
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.servicebus.amqp.decoder import decode, raw_list, raw_map, skip
from local.servicebus.amqp.encoder import encode
from local.servicebus.amqp.errors import DecodeError
from local.servicebus.amqp.types import (
    Array,
    Byte,
    Char,
    Decimal,
    Described,
    Float,
    Int,
    Long,
    Short,
    Symbol,
    Timestamp,
    UByte,
    UInt,
    ULong,
    UShort,
)

# Part 1 of the specification, section 1.6, by hand.
ENCODINGS: list[tuple[str, Any]] = [
    ("40", None),
    ("41", True),
    ("42", False),
    ("50 ff", UByte(255)),
    ("60 01 00", UShort(256)),
    ("43", UInt(0)),
    ("52 ff", UInt(255)),
    ("70 00 00 01 00", UInt(256)),
    ("44", ULong(0)),
    ("53 24", ULong(0x24)),
    ("80 00 00 00 01 00 00 00 00", ULong(1 << 32)),
    ("51 80", Byte(-128)),
    ("61 ff fe", Short(-2)),
    ("54 ff", Int(-1)),
    ("71 00 00 00 80", Int(128)),
    ("55 7f", Long(127)),
    ("81 ff ff ff ff ff ff ff 7f", Long(-129)),
    ("72 3f 80 00 00", Float(1.0)),
    ("82 40 09 21 fb 54 44 2d 18", 3.141592653589793),
    ("73 00 01 f6 00", Char("\U0001f600")),
    ("74 01 02 03 04", Decimal(b"\1\2\3\4")),
    ("83 00 00 01 8c c2 51 f4 00", Timestamp(1704067200000)),
    ("98 00 11 22 33 44 55 66 77 88 99 aa bb cc dd ee ff", UUID("00112233-4455-6677-8899-aabbccddeeff")),
    ("a0 02 00 01", b"\0\1"),
    ("a1 03 e2 82 ac", "€"),
    ("a3 04 61 6d 71 70", Symbol("amqp")),
    ("45", []),
    ("c0 04 02 52 01 40", [UInt(1), None]),
    ("c1 05 02 a3 01 6b 41", {Symbol("k"): True}),
    ("e0 06 02 a3 01 61 01 62", Array(0xA3, [Symbol("a"), Symbol("b")])),
    ("00 53 24 45", Described(ULong(0x24), [])),
]

OTHER_ENCODINGS: list[tuple[str, Any]] = [
    ("56 00", False),
    ("56 01", True),
    ("70 00 00 00 01", UInt(1)),
    ("b1 00 00 00 01 78", "x"),
    ("d0 00 00 00 05 00 00 00 01 40", [None]),
    ("d1 00 00 00 06 00 00 00 02 40 41", {None: True}),
    ("f0 00 00 00 07 00 00 00 02 50 01 02", Array(0x50, [UByte(1), UByte(2)])),
    ("e0 07 01 00 a3 01 78 50 07", Array(0x50, [UByte(7)], Symbol("x"))),
    ("e0 05 01 c0 02 01 40", Array(0xC0, [[None]])),
]


@pytest.mark.parametrize(("octets", "value"), ENCODINGS)
def test_values_are_encoded_as_the_specification_says(octets: str, value: Any) -> None:
    assert encode(value).hex(" ") == octets


@pytest.mark.parametrize(("octets", "value"), ENCODINGS + OTHER_ENCODINGS)
def test_values_are_decoded_with_their_exact_type(octets: str, value: Any) -> None:
    decoded, end = decode(bytes.fromhex(octets))

    assert decoded == value
    assert type(decoded) is type(value)
    assert end == len(bytes.fromhex(octets))


@pytest.mark.parametrize("size", [0, 254, 255, 256, 70_000])
@pytest.mark.parametrize("make", [lambda size: b"x" * size, lambda size: "x" * size, lambda size: ["y"] * size])
def test_sizes_around_the_limit_of_the_short_form_round_trip(make: Any, size: int) -> None:
    value = make(size)

    assert decode(encode(value)) == (value, len(encode(value)))


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 2**8 - 1).map(UByte),
    st.integers(0, 2**16 - 1).map(UShort),
    st.integers(0, 2**32 - 1).map(UInt),
    st.integers(0, 2**64 - 1).map(ULong),
    st.integers(-(2**7), 2**7 - 1).map(Byte),
    st.integers(-(2**15), 2**15 - 1).map(Short),
    st.integers(-(2**31), 2**31 - 1).map(Int),
    st.integers(-(2**63), 2**63 - 1).map(Long),
    st.integers(-(2**63), 2**63 - 1).map(Timestamp),
    st.floats(width=32, allow_nan=False).map(Float),
    st.floats(allow_nan=False),
    st.characters(codec="utf-8").map(Char),
    st.sampled_from([4, 8, 16]).flatmap(lambda width: st.binary(min_size=width, max_size=width)).map(Decimal),
    st.uuids(),
    st.binary(max_size=300),
    st.text(max_size=300),
    st.text(alphabet=st.characters(codec="ascii"), max_size=300).map(Symbol),
)
keys = st.one_of(st.text(max_size=20), st.integers(0, 2**32 - 1).map(UInt), st.uuids())
arrays = st.one_of(
    st.lists(st.integers(0, 2**32 - 1).map(UInt), max_size=20).map(lambda values: Array(0x70, values)),
    st.lists(st.uuids(), max_size=20).map(lambda values: Array(0x98, values)),
    st.lists(st.text(max_size=300), max_size=5).map(lambda values: Array(0xB1, values)),
)
values = st.recursive(
    scalars | arrays,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(keys, inner, max_size=5),
        st.builds(Described, st.integers(0, 2**64 - 1).map(ULong), inner),
    ),
    max_leaves=20,
)


@given(values)
def test_every_value_round_trips(value: Any) -> None:
    encoded = encode(value)

    assert decode(b"\x00" + encoded, 1) == (value, 1 + len(encoded))
    assert skip(encoded + b"\x40", 0) == len(encoded)


@given(values, st.data())
def test_every_value_cut_short_is_refused(value: Any, data: st.DataObject) -> None:
    encoded = encode(value)
    cut = encoded[: data.draw(st.integers(0, len(encoded) - 1))]

    with pytest.raises(DecodeError):
        decode(cut)
    with pytest.raises(DecodeError):
        skip(cut, 0)


@settings(max_examples=500)
@given(st.binary(max_size=200))
def test_random_bytes_are_a_value_or_a_decode_error(data: bytes) -> None:
    for read in (decode, skip, raw_map, raw_list):
        try:
            read(data, 0)  # type: ignore[operator]  # the four have no common type
        except DecodeError:
            continue


@settings(max_examples=300)
@given(st.sampled_from([0x00, 0xC0, 0xC1, 0xD0, 0xD1, 0xE0, 0xF0]), st.binary(max_size=100))
def test_random_compound_values_that_decode_can_be_encoded_again(code: int, rest: bytes) -> None:
    try:
        value, _ = decode(bytes((code,)) + rest)
    except DecodeError:
        return
    assert repr(decode(encode(value))[0]) == repr(value) or isinstance(value, (Array, list, dict, Described))


@pytest.mark.parametrize(
    "octets",
    [
        "",
        "99",
        "56 02",
        "73 00 11 00 00",
        "a1 02 c3 28",
        "a3 01 80",
        "c0 01 05",
        "c0 ff 01 40",
        "c1 02 01 40",
        "c1 05 02 c0 01 00 40",
        "d0 00 00 00 04 ff ff ff ff",
        "d0 ff ff ff ff 00 00 00 01 40",
        "f0 00 00 00 05 ff ff ff ff 40",
        "e0 02 02 a3",
        "00 00 00",
    ],
)
def test_malformed_values_are_refused(octets: str) -> None:
    with pytest.raises(DecodeError):
        decode(bytes.fromhex(octets))


@pytest.mark.parametrize(
    "value", [b"\x00" * 100_000, b"\xc0\xff\xff" * 30_000, b"\xd0\x00\x00\xff\xff\x00\x00\x00\x01" * 9000]
)
def test_deep_nesting_is_refused_in_no_time(value: bytes) -> None:
    started = time.process_time()

    with pytest.raises(DecodeError):
        decode(value)
    with pytest.raises(DecodeError):
        skip(value + b"\x99", 0) if value[0] == 0 else decode(value)

    assert time.process_time() - started < 0.5


def test_a_plain_int_is_not_encoded_because_its_width_is_unknown() -> None:
    with pytest.raises(TypeError, match="int has no AMQP type"):
        encode(1)


def test_raw_maps_and_lists_keep_the_encoding_of_their_values() -> None:
    wide_one = b"\x70" + struct.pack(">I", 1)
    listed = b"\xd0" + struct.pack(">II", 4 + 6, 2) + wide_one + b"\x40"
    mapped = b"\xc1" + bytes((1 + 3 + 5, 2)) + b"\xa3\x01k" + wide_one

    assert raw_list(listed, 0) == ([wide_one, b"\x40"], len(listed))
    assert raw_map(mapped, 0) == {"k": wide_one}
