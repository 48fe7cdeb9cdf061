"""Offers: the throughput settings of containers. They are kept and returned, not enforced."""

from typing import Any, Final

import orjson

from local.cosmos.errors import missing, not_covered
from local.cosmos.rids import database_rid
from local.cosmos.stamps import stamp
from local.cosmos.store import Store

_DEFAULT_THROUGHPUT: Final = 400
_RID_LENGTH: Final = 4

Offer = dict[str, Any]


class Offers:
    """All throughput settings of an account."""

    def __init__(self, store: Store) -> None:
        self._store = store
        offers = [orjson.loads(body) for _, _, body in store.resources("offer")]
        self._offers: dict[str, Offer] = {offer["_rid"]: offer for offer in offers}

    def all(self) -> list[Offer]:
        """The settings of all containers."""
        return list(self._offers.values())

    def get(self, rid: str) -> Offer:
        """One setting.

        Raises:
            CosmosError: 404.
        """
        if rid not in self._offers:
            raise missing("offer", rid)
        return self._offers[rid]

    def create(self, container: int, definition: dict[str, Any], throughput: int | None) -> None:
        """Makes the setting of a new container, given its number and its definition."""
        number = self._store.insert_resource("offer", container, definition["_rid"])
        rid = database_rid(number)[:_RID_LENGTH]
        body = {
            "resource": definition["_self"],
            "offerType": "Invalid",
            "offerResourceId": definition["_rid"],
            "offerVersion": "V2",
            "content": {
                "offerThroughput": throughput or _DEFAULT_THROUGHPUT,
                "offerIsRUPerMinuteThroughputEnabled": False,
            },
            "id": rid,
            "_rid": rid,
            "_self": f"offers/{rid}/",
            **stamp(),
        }
        self._store.save_resource(number, body)
        self._offers[rid] = body

    def replace(self, offer: Offer, content: Any) -> Offer:
        """Changes a setting.

        Raises:
            CosmosError: 400 when it is not a number of request units per second.
        """
        if not isinstance(content, dict) or type(content.get("offerThroughput")) is not int:
            raise not_covered("An offer without offerThroughput (autoscale)")
        changed = {**offer, "content": content, **stamp()}
        self._store.connection.execute(
            "UPDATE resources SET body = ? WHERE kind = 'offer' AND name = ?",
            (orjson.dumps(changed), offer["offerResourceId"]),
        )
        self._offers[offer["_rid"]] = changed
        return changed

    def delete(self, container: int, container_rid: str) -> None:
        """Drops the setting of a container."""
        self._store.connection.execute("DELETE FROM resources WHERE kind = 'offer' AND parent = ?", (container,))
        kept = (offer for offer in self._offers.values() if offer["offerResourceId"] != container_rid)
        self._offers = {offer["_rid"]: offer for offer in kept}
