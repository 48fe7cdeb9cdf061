"""Timer functions that write down when they run, one JSON line each, into the file of `RECORD_FILE`."""

import json
import os
from pathlib import Path

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


def record(name: str, timer: func.TimerRequest) -> None:
    line = {
        "name": name,
        "instance": os.environ["WEBSITE_INSTANCE_ID"],
        "past_due": timer.past_due,
        "status": timer.schedule_status,
        "schedule": timer.schedule,
    }
    with Path(os.environ["RECORD_FILE"]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


@app.timer_trigger(arg_name="timer", schedule="* * * * * *")
async def every_second(timer: func.TimerRequest) -> None:
    record("every_second", timer)


@app.timer_trigger(arg_name="timer", schedule="%YEARLY%")
async def yearly(timer: func.TimerRequest) -> None:
    record("yearly", timer)


@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *", run_on_startup=True, use_monitor=False)
def at_start(timer: func.TimerRequest) -> None:
    record("at_start", timer)


@app.route(route="ping")
async def ping(req: func.HttpRequest) -> str:
    return "pong"
