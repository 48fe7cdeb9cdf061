"""The workers: one Service Bus trigger a lane, so that each lane has its own instances."""

import azure.functions as func

from shared.events import TurnMessage
from shared.lanes import Lane, queue_of
from shared.wiring import Services

CONNECTION = "ServiceBusConnection"


def make_blueprint(services: Services) -> func.Blueprint:
    """The triggers, bound to their services."""
    blueprint = func.Blueprint()

    for lane in Lane:
        _add(blueprint, lane, services)
    return blueprint


def _add(blueprint: func.Blueprint, lane: Lane, services: Services) -> None:
    @blueprint.function_name(f"answer_{lane}")
    @blueprint.service_bus_queue_trigger(arg_name="message", queue_name=queue_of(lane), connection=CONNECTION)
    async def answer(message: func.ServiceBusMessage) -> None:
        await _answer(message, services)


async def _answer(message: func.ServiceBusMessage, services: Services) -> None:
    """Returning completes the message, raising gives it back; a body that is no turn message ends as a dead letter."""
    timeline = services.arrivals.timeline()
    turn_message = TurnMessage.decode(message.get_body())
    services.warm_up.for_answer(turn_message)
    worker = (await services.open()).worker
    services.arrivals.started(timeline)
    await worker.answer(turn_message, timeline)
