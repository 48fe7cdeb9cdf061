"""Every error this service answers with, in the shapes Azure uses: status, code, message."""

from typing import Any

import orjson

OTHER_OPERATIONS = frozenset(
    {"responses", "completions", "images", "audio", "files", "batches", "fine_tuning", "assistants", "threads"}
    | {"vector_stores", "moderations", "realtime", "evals", "videos", "conversations", "containers", "uploads"}
)


class ServiceError(Exception):
    """A call ends here with a status and an error body.

    Attributes:
        outcome: The word under which the account of calls keeps it.
        headers: Headers of this error, besides those of every response.
        content_type: `application/json`, or what a gateway in front of the service would send.
    """

    def __init__(
        self,
        status: int,
        body: bytes,
        outcome: str,
        *,
        headers: tuple[tuple[bytes, bytes], ...] = (),
        content_type: bytes = b"application/json",
    ) -> None:
        self.status = status
        self.body = body
        self.outcome = outcome
        self.headers = headers
        self.content_type = content_type
        super().__init__(f"{status} {outcome}")


def gateway_body(code: str, message: str) -> bytes:
    """An error of the gateway in front of the model."""
    return orjson.dumps({"error": {"code": code, "message": message}})


def model_body(message: str, kind: str, *, param: str | None = None, code: str | None = None) -> bytes:
    """An error of the model's own interface."""
    return orjson.dumps({"error": {"message": message, "type": kind, "param": param, "code": code}})


def bad_request(message: str, *, param: str | None = None, code: str | None = None) -> ServiceError:
    """400 for a request that is wrong in itself."""
    return ServiceError(400, model_body(message, "invalid_request_error", param=param, code=code), "bad_request")


def unparseable() -> ServiceError:
    """400 for a body that is not JSON."""
    return bad_request("The body of this request could not be parsed as JSON. Send one JSON object.")


def not_covered(what: str, *, param: str) -> ServiceError:
    """400 for something that Azure OpenAI does and this local service does not."""
    return bad_request(f"{what} is not covered by the local Azure OpenAI service.", param=param, code="not_covered")


def bad_key() -> ServiceError:
    """401 for an api-key that is missing or wrong."""
    message = (
        "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an "
        "active subscription and use a correct regional API endpoint for your resource."
    )
    return ServiceError(401, gateway_body("401", message), "unauthorized")


def bad_token() -> ServiceError:
    """401 for a bearer token that is neither the key nor shaped like a JWT."""
    message = (
        "Unauthorized. Access token is missing, invalid, audience is incorrect (https://ai.azure.com), or have expired."
    )
    return ServiceError(401, gateway_body("401", message), "unauthorized")


def no_such_route() -> ServiceError:
    """404 for a path that does not exist."""
    return ServiceError(404, gateway_body("404", "Resource not found"), "not_found")


def operation_not_covered(operation: str) -> ServiceError:
    """404 for an operation of Azure OpenAI that this service does not have."""
    message = f"The {operation} operation is not covered by the local Azure OpenAI service."
    return ServiceError(404, gateway_body("404", message), "not_found")


def wrong_method(allowed: str) -> ServiceError:
    """405 for a known path with another method."""
    body = gateway_body("405", f"This path answers {allowed} only.")
    return ServiceError(405, body, "not_found", headers=((b"allow", allowed.encode()),))


def no_such_deployment() -> ServiceError:
    """404 for a deployment that the account does not have."""
    message = (
        "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, "
        "please wait a moment and try again."
    )
    return ServiceError(404, gateway_body("DeploymentNotFound", message), "not_found")


def ambiguous_deployment(name: str, accounts: list[str]) -> ServiceError:
    """404 for a name that several accounts have, asked for without an account."""
    message = f"Several accounts have a deployment {name}: put one of /{', /'.join(accounts)} before /openai."
    return ServiceError(404, gateway_body("DeploymentNotFound", message), "not_found")


def wrong_operation(operation: str, model: str) -> ServiceError:
    """400 for a chat call to an embeddings model, or the other way round."""
    message = (
        f"The {operation} operation does not work with the specified model, {model}. Please choose different model and "
        "try again. You can learn more about which models can be used with each operation here: "
        "https://go.microsoft.com/fwlink/?linkid=2197993."
    )
    return ServiceError(400, gateway_body("OperationNotSupported", message), "bad_request")


def too_large(limit_bytes: int) -> ServiceError:
    """413 for a body above the limit; the connection ends, since the rest of the body is not read."""
    body = gateway_body("413", f"The request body is larger than the maximum of {limit_bytes} bytes.")
    return ServiceError(413, body, "too_large", headers=((b"connection", b"close"),))


def context_too_long(limit: int, prompt_tokens: int) -> ServiceError:
    """400 for a prompt that does not fit the model."""
    message = (
        f"This model's maximum context length is {limit} tokens. However, your messages resulted in {prompt_tokens} "
        "tokens. Please reduce the length of the messages."
    )
    return bad_request(message, param="messages", code="context_length_exceeded")


def server_error(status: int) -> ServiceError:
    """A failure of the model's servers."""
    message = "The server had an error while processing your request. Sorry about that!"
    return ServiceError(status, model_body(message, "server_error"), "server_error")


def unavailable() -> ServiceError:
    """503 as a gateway sends it when nothing behind it accepts the connection."""
    return ServiceError(
        503,
        b"upstream connect error or disconnect/reset before headers. reset reason: connection failure",
        "unavailable",
        headers=((b"connection", b"close"),),
        content_type=b"text/plain",
    )


def filtered_prompt(result: dict[str, Any]) -> ServiceError:
    """400 for a prompt that the content filter stops."""
    message = (
        "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please "
        "modify your prompt and retry. To learn more about our content filtering policies please read our "
        "documentation: https://go.microsoft.com/fwlink/?linkid=2198766"
    )
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": result}
    error = {"message": message, "type": None, "param": "prompt", "code": "content_filter", "status": 400}
    return ServiceError(400, orjson.dumps({"error": {**error, "innererror": inner}}), "content_filter")
