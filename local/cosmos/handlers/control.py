"""The control plane under `/_sim`, which no real account has: faults on purpose, and counts."""

import orjson

from local.cosmos.errors import CosmosError
from local.cosmos.request import Reply, Request
from local.cosmos.service import Service


def control(service: Service, request: Request) -> Reply:
    """Answers a request to the control plane.

    Raises:
        CosmosError: 400 for a wrong fault, 404 and 405 for what is not there.
    """
    match request.method, request.segments[1:]:
        case "GET", ["account"]:
            return _json(service.usage.report())
        case "GET", ["faults"]:
            return _json({"faults": service.faults.list()})
        case "POST", ["faults"]:
            service.faults.add(request.json_object())
            return _json({"faults": service.faults.list()}, 201)
        case "DELETE", ["faults"]:
            service.faults.clear()
            return Reply(204)
        case _, ["account" | "faults"]:
            raise CosmosError(405, f"{request.method} is not possible here.")
    raise CosmosError(404, "The control plane has /_sim/account and /_sim/faults.")


def _json(body: object, status: int = 200) -> Reply:
    return Reply(status, orjson.dumps(body))
