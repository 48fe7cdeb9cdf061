"""The tenant comes from the credential and from nowhere else."""

import base64
import hashlib
import json

import pytest

from shared.door import Door, Principal
from shared.errors import Forbidden, Unauthorized
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
