"""A timer: sums up production's scores, watches for drift, keeps the hourly cap and drives on runs that were left."""

import azure.functions as func

from shared.wiring import Services

EVERY_FIVE_MINUTES = "0 */5 * * * *"


def make_blueprint(services: Services) -> func.Blueprint:
    """The trigger, bound to its services."""
    blueprint = func.Blueprint()

    @blueprint.function_name("roll_up_scores")
    @blueprint.timer_trigger(arg_name="timer", schedule=EVERY_FIVE_MINUTES)
    async def roll_up_scores(timer: func.TimerRequest) -> None:  # noqa: ARG001  the binding asks for it
        await (await services.open()).evaluations.roll_up()

    return blueprint
