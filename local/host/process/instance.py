"""One instance of the app: one process, one event loop, the functions it has been given."""

import asyncio
import logging
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from local import wire
from local.host.app import extension, loader
from local.host.app.functions import Function
from local.host.app.invocation import NO_TRACE, Invoker
from local.host.bus.listeners import BusTriggers
from local.host.errors import HostError
from local.host.process.listener import Listener
from local.host.process.options import InstanceOptions
from local.host.process.parent import stop_without
from local.host.timers.listener import SystemClock, listeners, request_for
from local.host.web import routes
from local.host.web.admin import Admin
from local.host.web.classic_adapter import ClassicAdapter
from local.host.web.endpoint import Adapter, HttpApp
from local.host.web.routes import RouteTable
from local.host.web.server import WebServer

_logger = logging.getLogger("local.host")


@dataclass(slots=True)
class Instance:
    """A loaded app with everything that runs in this process.

    Attributes:
        options: How to run.
        functions: What runs here.
        invoker: Runs it.
        table: Routes of the HTTP functions among them.
        listeners: Bring work to the others.
        bus: Owns the connections to Service Bus.
        server: Serves HTTP, None without HTTP functions.
        sockets: What it serves on: the app's port, and this instance's own when the first is shared.
    """

    options: InstanceOptions
    functions: Sequence[Function]
    invoker: Invoker
    table: RouteTable
    listeners: Sequence[Listener]
    bus: BusTriggers
    server: WebServer | None = None
    sockets: list[socket.socket] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where this very instance answers; empty without HTTP functions."""
        return _url(self.sockets[-1]) if self.sockets else ""

    @property
    def app_url(self) -> str:
        """Where the app answers, through whichever instance; empty without HTTP functions."""
        return _url(self.sockets[0]) if self.sockets else ""

    def start(self) -> None:
        """Starts to take requests and messages."""
        if self.server is not None:
            self.server.begin(self.sockets)
        for listener in self.listeners:
            listener.start()

    async def stop(self) -> None:
        """Takes nothing new, lets what runs end within the time to drain, and cancels the rest."""
        web = asyncio.create_task(self.server.end()) if self.server is not None else None
        await asyncio.gather(*(listener.stop_receiving() for listener in self.listeners))
        await asyncio.gather(*(self._drain(listener) for listener in self.listeners))
        if web is not None:
            await web
        await self.bus.close()
        self.invoker.close()

    async def _drain(self, listener: Listener) -> None:
        try:
            async with asyncio.timeout(self.options.drain_seconds):
                await listener.drain()
        except TimeoutError:
            _logger.warning("%g s are over; what is still running is cancelled.", self.options.drain_seconds)
            await listener.cancel()


def load(options: InstanceOptions, settings: Mapping[str, str]) -> Instance:
    """Imports the app, checks everything that it needs and binds its ports.

    Raises:
        HostError: The app or its settings are not valid.
    """
    functions = loader.load(options.app, ignore_unsupported=options.ignore_unsupported)
    # Routes are compiled for the whole app, so that what one of them hides is told by every instance alike.
    table = routes.build(functions, options.host_json.route_prefix)
    own = _selected(functions, options.only)
    invoker = Invoker(options.host_json.function_timeout_seconds)
    bus = BusTriggers(own, options.host_json.service_bus, settings, invoker)
    timers = listeners(own, settings, invoker, data=options.data, app=options.app, clock=SystemClock())
    names = {function.name for function in own}
    instance = Instance(
        options=options,
        functions=own,
        invoker=invoker,
        table=RouteTable(tuple(route for route in table.routes if route.function.name in names)),
        listeners=[*bus.listeners, *timers],
        bus=bus,
    )
    if instance.table.routes:
        instance.server = WebServer(_http_app(instance, functions), options.drain_seconds)
        instance.sockets = _sockets(options)
    return instance


async def run(options: InstanceOptions) -> None:
    """Runs one instance until SIGTERM or SIGINT, or until its supervisor is gone.

    Raises:
        HostError: The app or its settings are not valid.
    """
    stop = wire.stop_event()
    instance = load(options, os.environ)
    instance.start()
    _announce(instance)
    watching = None if options.parent is None else asyncio.create_task(stop_without(options.parent, stop))
    await stop.wait()
    _logger.info("Stopping; what is running has %g s.", options.drain_seconds)
    await instance.stop()
    if watching is not None:
        await watching


def _selected(functions: Sequence[Function], only: frozenset[str] | None) -> list[Function]:
    if only is None:
        return list(functions)
    missing = only - {function.name for function in functions}
    if missing:
        raise HostError(f"--functions: the app has no function {', '.join(sorted(missing))}.")
    return [function for function in functions if function.name in only]


def _sockets(options: InstanceOptions) -> list[socket.socket]:
    sockets = [wire.listen(options.address, options.port, share=options.share_port)]
    if options.share_port:
        sockets.append(wire.listen(options.address, 0))
    return sockets


def _http_app(instance: Instance, functions: Sequence[Function]) -> HttpApp:
    invoker = instance.invoker
    admin = Admin(
        functions={function.name: function for function in functions},
        run_now=lambda function: invoker.succeeds(function, request_for(None, past_due=False), NO_TRACE),
        keys=instance.options.keys,
    )
    return HttpApp(instance.table, _adapter(invoker), instance.options.keys, admin)


def _adapter(invoker: Invoker) -> Adapter:
    if not extension.loaded():
        return ClassicAdapter(invoker)
    # The app brings FastAPI along with its extension; a classic app need not have it.
    from local.host.web.fastapi_adapter import FastApiAdapter  # noqa: PLC0415

    return FastApiAdapter(invoker)


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _announce(instance: Instance) -> None:
    """Lists what runs here, with addresses, and says that it does."""
    by_name = {route.function.name: route for route in instance.table.routes}
    for function in instance.functions:
        route = by_name.get(function.name)
        if route is None:
            _logger.info("%s: %s", function.name, function.kind)
        else:
            methods = ",".join(sorted(route.methods)) if route.methods else "any method"
            _logger.info("%s: [%s] %s/%s", function.name, methods, instance.app_url, route.template.text)
    if instance.options.keys is None and any(route.level != "anonymous" for route in instance.table.routes):
        _logger.warning("No --keys: functions of every authorization level answer without a key.")
    details = {
        "id": instance.options.instance_id,
        "pid": os.getpid(),
        "functions": [function.name for function in instance.functions],
        "url": instance.url,
    }
    wire.announce(
        "functions host",
        url=instance.app_url or "no address, as there are no HTTP functions",
        port=instance.sockets[0].getsockname()[1] if instance.sockets else 0,
        ready_file=instance.options.ready_file,
        details={"instances": [details]},
    )
