"""A timer: looks at the lanes, sums up turns and asks quiet deployments, each at most once over all instances."""

import azure.functions as func

from shared.wiring import Services

EVERY_MINUTE = "0 * * * * *"


def make_blueprint(services: Services) -> func.Blueprint:
    """The trigger, bound to its services."""
    blueprint = func.Blueprint()

    @blueprint.function_name("keep_pulse")
    @blueprint.timer_trigger(arg_name="timer", schedule=EVERY_MINUTE)
    async def keep_pulse(timer: func.TimerRequest) -> None:  # noqa: ARG001  the binding asks for it
        await (await services.open()).pulse.beat()

    return blueprint
