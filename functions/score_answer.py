"""The worker of evaluation: plans runs, asks and scores their items, scores sampled turns."""

import azure.functions as func

from shared.evaluating.messages import EvaluationMessage
from shared.wiring import Services


def make_blueprint(services: Services) -> func.Blueprint:
    """The trigger, bound to its services."""
    blueprint = func.Blueprint()

    @blueprint.function_name("score_answer")
    @blueprint.service_bus_queue_trigger(
        arg_name="message", queue_name="evaluations", connection="ServiceBusConnection"
    )
    async def score_answer(message: func.ServiceBusMessage) -> None:
        await (await services.open()).evaluations.work(EvaluationMessage.decode(message.get_body()))

    return blueprint
