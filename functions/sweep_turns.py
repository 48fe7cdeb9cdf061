"""A timer: finds turns that nobody drives any more."""

import azure.functions as func

from shared.wiring import Services


def make_blueprint(services: Services) -> func.Blueprint:
    """The trigger, bound to its services."""
    blueprint = func.Blueprint()

    @blueprint.function_name("sweep_turns")
    @blueprint.timer_trigger(arg_name="timer", schedule="%SPILLWAY_SWEEP_SCHEDULE%")
    async def sweep_turns(timer: func.TimerRequest) -> None:  # noqa: ARG001  the binding asks for it
        await (await services.open()).sweeper.sweep()

    return blueprint
