"""The composition root: settings, services, blueprints, and nothing else."""

import azure.functions as func

from functions import (
    accept_turn,
    answer_turn,
    cancel_evaluation,
    cancel_turn,
    complete_chat,
    describe_api,
    follow_turn,
    keep_pulse,
    manage_dead_letters,
    operate,
    put_knowledge,
    rate_turn,
    read_evaluation,
    read_session,
    read_turn,
    report_capacity,
    report_health,
    roll_up_scores,
    score_answer,
    start_evaluation,
    sweep_turns,
    web_page,
)
from shared.settings import Settings
from shared.wiring import build

services = build(Settings.from_environment())

app = func.FunctionApp()
for trigger in (
    accept_turn,
    answer_turn,
    cancel_evaluation,
    cancel_turn,
    complete_chat,
    describe_api,
    follow_turn,
    keep_pulse,
    manage_dead_letters,
    operate,
    put_knowledge,
    rate_turn,
    read_evaluation,
    read_session,
    read_turn,
    report_capacity,
    report_health,
    roll_up_scores,
    score_answer,
    start_evaluation,
    sweep_turns,
):
    app.register_functions(trigger.make_blueprint(services))
app.register_functions(web_page.make_blueprint())
