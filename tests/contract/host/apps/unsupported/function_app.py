"""Has a trigger, a binding and a retry policy that the local host lacks, and one function that it can run."""

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.queue_trigger(arg_name="message", queue_name="orders", connection="Storage")
async def on_storage(message: func.QueueMessage) -> None: ...


@app.route(route="send")
@app.service_bus_queue_output(arg_name="out", queue_name="orders", connection="Bus")
async def send(req: func.HttpRequest, out: func.Out[str]) -> str: ...


@app.timer_trigger(arg_name="timer", schedule="0 * * * * *")
@app.retry(strategy="fixed_delay", max_retry_count="2", delay_interval="00:00:05")
async def again(timer: func.TimerRequest) -> None: ...


@app.route(route="fine")
async def fine(req: func.HttpRequest) -> str:
    return "fine"
