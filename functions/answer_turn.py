"""The workers: one Service Bus trigger a lane, so that each lane has its own instances."""

import azure.functions as func

from shared.events import TurnMessage
from shared.wiring import Services

CONNECTION = "ServiceBusConnection"


def make_blueprint(services: Services) -> func.Blueprint:
    """The triggers, bound to their services."""
    blueprint = func.Blueprint()

    @blueprint.function_name("answer_interactive")
    @blueprint.service_bus_queue_trigger(arg_name="message", queue_name="chat-interactive", connection=CONNECTION)
    async def answer_interactive(message: func.ServiceBusMessage) -> None:
        await _answer(message, services)

    @blueprint.function_name("answer_standard")
    @blueprint.service_bus_queue_trigger(arg_name="message", queue_name="chat-standard", connection=CONNECTION)
    async def answer_standard(message: func.ServiceBusMessage) -> None:
        await _answer(message, services)

    @blueprint.function_name("answer_batch")
    @blueprint.service_bus_queue_trigger(arg_name="message", queue_name="chat-batch", connection=CONNECTION)
    async def answer_batch(message: func.ServiceBusMessage) -> None:
        await _answer(message, services)

    return blueprint


async def _answer(message: func.ServiceBusMessage, services: Services) -> None:
    """Returning completes the message, raising gives it back; a body that is no turn message ends as a dead letter."""
    timeline = services.arrivals.timeline()
    worker = (await services.open()).worker
    services.arrivals.started(timeline)
    await worker.answer(TurnMessage.decode(message.get_body()), timeline)
