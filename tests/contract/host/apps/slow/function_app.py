"""Takes long to import."""

import time

import azure.functions as func

app = func.FunctionApp()
time.sleep(20)
