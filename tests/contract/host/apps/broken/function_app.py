"""Cannot be imported."""

import azure.functions as func

app = func.FunctionApp()
settings = {}


def read_setting(name: str) -> str:
    return settings[name]


read_setting("SETTING_THAT_IS_MISSING")
