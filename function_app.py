"""The composition root: settings, services, blueprints, and nothing else."""

import azure.functions as func

from functions import blueprints
from shared.settings import Settings
from shared.wiring import build

services = build(Settings.from_environment())

app = func.FunctionApp()
for blueprint in blueprints(services):
    app.register_functions(blueprint)
