"""Addresses as the SDKs write them: a path, or a whole URL whose scheme and host mean nothing here."""

from dataclasses import dataclass
from enum import Enum, auto

from local.servicebus.broker.errors import NotSupported

CBS = "$cbs"
MANAGEMENT_SUFFIX = "/$management"
_NOT_COVERED = {
    "/subscriptions/": "Topics and subscriptions are not covered by this service.",
    "/$transfer/": "Transfer dead-letter queues need forwarding, which is not covered by this service.",
}


class Kind(Enum):
    """What stands behind an address."""

    TOKENS = auto()
    MANAGEMENT = auto()
    QUEUE = auto()


@dataclass(slots=True, frozen=True)
class Address:
    """A parsed address: the kind of node, and the lower-case name of the queue it concerns."""

    kind: Kind
    entity: str

    @property
    def path(self) -> str:
        """What a token has to cover."""
        return self.entity + MANAGEMENT_SUFFIX if self.kind is Kind.MANAGEMENT else self.entity


def parse_address(text: str) -> Address:
    """Parses a link address.

    Raises:
        NotSupported: It names something Service Bus has and this service has not.
    """
    path = entity_path(text)
    if path == CBS:
        return Address(Kind.TOKENS, "")
    for part, explanation in _NOT_COVERED.items():
        if part in f"/{path}/":
            raise NotSupported(explanation)
    if path.endswith(MANAGEMENT_SUFFIX):
        return Address(Kind.MANAGEMENT, path.removesuffix(MANAGEMENT_SUFFIX))
    return Address(Kind.QUEUE, path)


def entity_path(text: str) -> str:
    """The path of an address or of a token's audience, in lower case, without slashes around it."""
    scheme, separator, rest = text.partition("://")
    path = rest.partition("/")[2] if separator else scheme
    return path.strip("/").lower()
