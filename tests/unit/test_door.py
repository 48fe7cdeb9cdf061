"""The tenant comes from the credential and from nowhere else."""

import base64
import contextlib
import hashlib
import json

import pytest

from shared.api.door import MOST_CALLERS, Door, Principal
from shared.errors import Forbidden, RateLimited, Unauthorized
from shared.settings import Settings
from tests.unit.samples import ENVIRONMENT


def door(auth: str = "key") -> Door:
    keys = [
        {"sha256": hashlib.sha256(b"user").hexdigest(), "tenant": "contoso"},
        {"sha256": hashlib.sha256(b"boss").hexdigest(), "tenant": "contoso", "operator": True},
    ]
    environment = ENVIRONMENT | {"SPILLWAY_API_KEYS": json.dumps(keys), "SPILLWAY_AUTH": auth}
    return Door(Settings.from_environment(environment))


def identity(*claims: tuple[str, str]) -> dict[str, str]:
    principal = {"claims": [{"typ": kind, "val": value} for kind, value in claims], "role_typ": "roles"}
    return {"x-ms-client-principal": base64.b64encode(json.dumps(principal).encode()).decode()}


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"x-functions-key": "user"}, {}),
        ({"api-key": "user"}, {}),
        ({"authorization": "bearer user"}, {}),
        ({}, {"code": "user"}),
    ],
)
def test_a_known_key_opens_in_any_of_its_places(headers: dict[str, str], query: dict[str, str]) -> None:
    assert door().enter(headers, query) == Principal("contoso")


@pytest.mark.parametrize("headers", [{}, {"api-key": ""}, {"api-key": "User"}, {"authorization": "Basic user"}])
def test_anything_else_stays_outside(headers: dict[str, str]) -> None:
    with pytest.raises(Unauthorized):
        door().enter(headers, {})


def test_an_identity_header_means_nothing_where_keys_are_asked_for() -> None:
    with pytest.raises(Unauthorized):
        door().enter(identity(("tid", "fabrikam")), {})


def test_operators_are_told_apart() -> None:
    assert door().enter_operator({"api-key": "boss"}, {}).operator
    with pytest.raises(Forbidden):
        door().enter_operator({"api-key": "user"}, {})


def test_entra_gives_the_tenant_and_the_role_of_the_token() -> None:
    headers = identity(("tid", "contoso-tenant"), ("roles", "Spillway.Operator"))

    assert door("entra").enter(headers, {}) == Principal("contoso-tenant", operator=True)


@pytest.mark.parametrize(
    "headers", [{}, {"x-ms-client-principal": "%%"}, {"x-ms-client-principal": "e30="}, identity(("name", "x"))]
)
def test_an_unreadable_or_empty_identity_stays_outside(headers: dict[str, str]) -> None:
    with pytest.raises(Unauthorized):
        door("entra").enter(headers, {})


class Ticks:
    """A clock that is moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def limited(clock: Ticks, per_minute: int, auth: str = "key") -> Door:
    keys = [{"sha256": hashlib.sha256(key).hexdigest(), "tenant": "contoso"} for key in (b"one", b"two")]
    environment = ENVIRONMENT | {"SPILLWAY_API_KEYS": json.dumps(keys), "SPILLWAY_AUTH": auth}
    return Door(Settings.from_environment(environment | {"SPILLWAY_REQUESTS_PER_MINUTE": str(per_minute)}), clock)


def taken(door: Door, headers: dict[str, str], count: int) -> int:
    found = 0
    for _ in range(count):
        with contextlib.suppress(RateLimited):
            door.enter(headers, {})
            found += 1
    return found


def test_each_credential_has_its_own_minute_even_within_a_tenant() -> None:
    clock = Ticks()
    door = limited(clock, 60)
    assert taken(door, {"api-key": "one"}, 100) == 60
    assert taken(door, {"api-key": "two"}, 100) == 60
    clock.now = 30.0
    assert taken(door, {"api-key": "one"}, 100) == 30


def test_the_time_that_a_refusal_names_is_when_the_next_request_is_taken() -> None:
    clock = Ticks()
    door = limited(clock, 6)
    assert taken(door, {"api-key": "one"}, 6) == 6
    with pytest.raises(RateLimited) as refused:
        door.enter({"api-key": "one"}, {})
    assert refused.value.retry_after_seconds == pytest.approx(10.0)
    clock.now = 9.99
    assert taken(door, {"api-key": "one"}, 1) == 0
    clock.now = 10.01
    assert taken(door, {"api-key": "one"}, 2) == 1


def test_a_credential_that_is_not_known_uses_up_nobodys_requests() -> None:
    door = limited(Ticks(), 1)
    for _ in range(5):
        with pytest.raises(Unauthorized):
            door.enter({"api-key": "wrong"}, {})
    assert taken(door, {"api-key": "one"}, 2) == 1


def test_people_of_one_tenant_are_counted_apart_and_their_number_is_bounded() -> None:
    door = limited(Ticks(), 2, auth="entra")
    people = [identity(("tid", "contoso"), ("oid", str(number))) for number in range(MOST_CALLERS + 5)]
    assert [taken(door, person, 3) for person in people[:3]] == [2, 2, 2]
    for person in people:
        taken(door, person, 1)
    assert len(door._buckets) == MOST_CALLERS


@pytest.mark.parametrize(
    "header",
    [
        "e30=",
        base64.b64encode(b"[]").decode(),
        base64.b64encode(b"null").decode(),
        base64.b64encode(b'{"claims": [1]}').decode(),
        base64.b64encode(b'{"claims": {"typ": "tid"}}').decode(),
        base64.b64encode(b"[" * 40_000).decode(),
        "x" * 70_000,
    ],
)
def test_an_identity_of_another_shape_is_refused(header: str) -> None:
    with pytest.raises(Unauthorized):
        door("entra").enter({"x-ms-client-principal": header}, {})


def test_a_key_means_nothing_where_an_identity_is_asked_for() -> None:
    with pytest.raises(Unauthorized):
        door("entra").enter({"api-key": "boss", "x-functions-key": "boss"}, {"code": "boss"})


def test_an_identity_beside_a_key_adds_nothing_to_it() -> None:
    forged = identity(("tid", "fabrikam"), ("roles", "Spillway.Operator"))
    assert door().enter(forged | {"api-key": "user"}, {}) == Principal("contoso", operator=False)
