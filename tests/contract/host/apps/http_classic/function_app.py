"""HTTP functions with the classic request and response, one of them in a blueprint."""

import json

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
blueprint = func.Blueprint()


@app.route(route="classic/{id}", methods=["GET", "POST"])
async def classic(req: func.HttpRequest) -> func.HttpResponse:
    body = {
        "method": req.method,
        "url": req.url,
        "params": dict(req.params),
        "route": dict(req.route_params),
        "header": req.headers.get("X-Test"),
        "body": req.get_body().decode(),
    }
    headers = {"x-kind": "classic", "Set-Cookie": "a=1; Path=/"}
    return func.HttpResponse(json.dumps(body), status_code=202, mimetype="application/json", headers=headers)


@blueprint.function_name("greet")
@blueprint.route(route="hello")
def say_hello(req: func.HttpRequest) -> str:
    return "hello"


@blueprint.route()
async def silent(req: func.HttpRequest) -> func.HttpResponse:
    return None


app.register_functions(blueprint)
