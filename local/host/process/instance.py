"""One instance of the app: one process, one event loop, the functions it has been given."""

import asyncio
import logging
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from local import wire
from local.host.app import extension, loader
from local.host.app.functions import Function
from local.host.app.invocation import NO_TRACE, Invoker
from local.host.app.telemetry import configured
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
from local.host.web.keys import Keys
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
        server: Serves the HTTP functions, if there are any, and the administrative call.
        sockets: What it serves on: the app's port, this instance's own port, or both.
    """

    options: InstanceOptions
    functions: Sequence[Function]
    invoker: Invoker
    table: RouteTable
    listeners: Sequence[Listener]
    bus: BusTriggers
    server: WebServer
    sockets: Sequence[socket.socket]

    @property
    def url(self) -> str:
        """Where this very instance answers."""
        return _url(self.sockets[-1])

    @property
    def app_url(self) -> str:
        """Where the app answers, through whichever instance."""
        return _url(self.sockets[0])

    def start(self) -> None:
        """Starts to take requests and messages."""
        self.server.begin([*self.sockets])
        for listener in self.listeners:
            listener.start()

    async def stop(self) -> None:
        """Takes nothing new, lets what runs end within the time to drain, and cancels the rest."""
        web = asyncio.create_task(self.server.end())
        await asyncio.gather(*(listener.stop_receiving() for listener in self.listeners))
        await asyncio.gather(*(self._drain(listener) for listener in self.listeners))
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
    # Before the app is imported, as the platform's worker does it.
    configured()
    functions = loader.load(options.app, ignore_unsupported=options.ignore_unsupported)
    # Routes are compiled for the whole app, so that what one of them hides is told by every instance alike.
    table = routes.build(functions, options.host_json.route_prefix)
    own = _selected(functions, options.only)
    invoker = Invoker(options.host_json.function_timeout_seconds)
    bus = BusTriggers(own, options.host_json.service_bus, settings, invoker)
    timers = listeners(own, settings, invoker, data=options.data, app=options.app, clock=SystemClock())
    names = {function.name for function in own}
    table = RouteTable(tuple(route for route in table.routes if route.function.name in names))
    return Instance(
        options=options,
        functions=own,
        invoker=invoker,
        table=table,
        listeners=[*bus.listeners, *timers],
        bus=bus,
        server=WebServer(_http_app(table, functions, invoker, options.keys), options.drain_seconds),
        sockets=_sockets(options, shared=bool(table.routes)),
    )


async def run(options: InstanceOptions) -> bool:
    """Runs one instance until SIGTERM or SIGINT, or until its supervisor is gone.

    Returns:
        Whether everything has ended; a function on a thread cannot be made to.

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
    return instance.invoker.busy_threads == 0


def _selected(functions: Sequence[Function], only: frozenset[str] | None) -> list[Function]:
    if only is None:
        return list(functions)
    missing = only - {function.name for function in functions}
    if missing:
        raise HostError(f"--functions: the app has no function {', '.join(sorted(missing))}.")
    return [function for function in functions if function.name in only]


def _sockets(options: InstanceOptions, *, shared: bool) -> list[socket.socket]:
    """The app's port; where instances share it, those with HTTP functions do, and each has one of its own."""
    if not options.share_port:
        return [wire.listen(options.address, options.port)]
    common = [wire.listen(options.address, options.port, share=True)] if shared else []
    return [*common, wire.listen(options.address, 0)]


def _http_app(table: RouteTable, functions: Sequence[Function], invoker: Invoker, keys: Keys | None) -> HttpApp:
    admin = Admin(
        functions={function.name: function for function in functions},
        run_now=lambda function: invoker.succeeds(function, request_for(None, past_due=False), NO_TRACE),
        keys=keys,
    )
    return HttpApp(table, _adapter(invoker), keys, admin)


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
        url=instance.app_url,
        port=instance.sockets[0].getsockname()[1],
        ready_file=instance.options.ready_file,
        details={"instances": [details]},
    )
