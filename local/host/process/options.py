"""How to run one instance."""

from dataclasses import dataclass
from pathlib import Path

from local.host.hostjson import HostJson
from local.host.web.keys import Keys


@dataclass(frozen=True, slots=True)
class InstanceOptions:
    """How to run one instance.

    Attributes:
        app: Folder of the app, absolute.
        host_json: The app's host.json.
        instance_id: `WEBSITE_INSTANCE_ID`.
        address: Address to listen on.
        port: Port for the app, 0 for a free one.
        share_port: Other instances listen on the same port; this one gets a port of its own besides.
        only: Names of the functions to run, None for all.
        keys: Function keys, None to let everybody in.
        ignore_unsupported: Leave out what cannot be run.
        drain_seconds: How long work in progress may go on after the wish to stop.
        data: Folder for the state of timers, absolute.
        ready_file: Where to say that the instance is ready.
        parent: Process id of the supervisor, None without one.
    """

    app: Path
    host_json: HostJson
    instance_id: str
    address: str
    port: int
    share_port: bool
    only: frozenset[str] | None
    keys: Keys | None
    ignore_unsupported: bool
    drain_seconds: float
    data: Path
    ready_file: Path | None
    parent: int | None
