"""One function of an app as this host sees it, and the checks that the Python worker makes when it loads one."""

import inspect
import json
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import azure.functions

from local.host.app import extension
from local.host.errors import HostError, UnsupportedError

HTTP, SERVICE_BUS, TIMER = "httpTrigger", "serviceBusTrigger", "timerTrigger"
_RETURN = "$return"
# Also what the platform demands of a name.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,127}")


@dataclass(frozen=True, slots=True)
class Function:
    """A function with a trigger that this host can run.

    Attributes:
        name: Name in logs, keys and scale groups.
        call: The app's own function.
        is_async: It is `async def` and runs on the event loop; otherwise it runs on a thread.
        trigger: The trigger binding as function.json has it.
        parameter: Name of the parameter that takes the trigger's value.
        raw_body: The parameter is annotated `str` or `bytes` and takes the bare body.
        wants_context: It has a parameter `context`.
        returns: It has a `$return` binding.
        directory: Folder of its source file.
        raw_bindings: All bindings as the JSON texts that the worker hands to the host.
    """

    name: str
    call: Callable[..., Any]
    is_async: bool
    trigger: Mapping[str, Any]
    parameter: str
    raw_body: type[str] | type[bytes] | None
    wants_context: bool
    returns: bool
    directory: str
    raw_bindings: tuple[str, ...]

    @property
    def kind(self) -> str:
        """Trigger type: `httpTrigger`, `serviceBusTrigger` or `timerTrigger`."""
        return str(self.trigger["type"])


def describe(indexed: Any) -> Function:
    """Checks one indexed function as the worker does and describes it.

    Args:
        indexed: An `azure.functions.Function`, out of `FunctionApp.get_functions()`.

    Raises:
        HostError: The worker would refuse the function.
        UnsupportedError: The worker would take it, this host cannot run it.
    """
    name = str(indexed.get_function_name())
    if not _NAME.fullmatch(name) or name.lower() == "host":
        raise HostError(f'Function "{name}": a name starts with a letter, then letters, digits, "-" and "_".')
    raw_bindings = tuple(indexed.get_raw_bindings())
    bindings = [json.loads(binding) for binding in raw_bindings]
    trigger = next(binding for binding in bindings if binding["name"] == indexed.get_trigger().name)
    _refuse_unsupported(name, trigger, bindings, retries=indexed.get_setting("retry_policy") is not None)
    call = indexed.get_user_function()
    parameters = inspect.signature(call).parameters
    hints = typing.get_type_hints(call)
    _check_parameters(name, trigger["name"], set(parameters), hints)
    raw_body = _check_trigger_type(name, trigger, hints)
    returns = any(binding["name"] == _RETURN for binding in bindings)
    if returns and "return" in hints:
        _check_return_type(name, hints["return"])
    return Function(
        name=name,
        call=call,
        is_async=inspect.iscoroutinefunction(call),
        trigger=trigger,
        parameter=trigger["name"],
        raw_body=raw_body,
        wants_context="context" in parameters,
        returns=returns,
        directory=str(Path(inspect.getfile(call)).parent),
        raw_bindings=raw_bindings,
    )


def _refuse_unsupported(name: str, trigger: Mapping[str, Any], bindings: list[Any], *, retries: bool) -> None:
    kind = trigger["type"]
    if kind not in {HTTP, SERVICE_BUS, TIMER}:
        raise UnsupportedError(f'Function "{name}": the trigger type "{kind}" is not supported by this host.')
    for binding in bindings:
        if binding["name"] != trigger["name"] and not (binding["name"] == _RETURN and binding["type"] == "http"):
            raise UnsupportedError(
                f'Function "{name}": the binding "{binding["name"]}" of type "{binding["type"]}" is not supported.'
            )
    if retries:
        raise UnsupportedError(f'Function "{name}": retry policies are not supported ({kind}).')


def _check_parameters(name: str, trigger: str, parameters: set[str], hints: Mapping[str, Any]) -> None:
    context = hints.get("context")
    if "context" in parameters and context is not None and getattr(context, "__name__", "") != "Context":
        raise HostError(f'Function "{name}": the parameter "context" must be an azure.functions.Context.')
    unbound = parameters - {trigger, "context"}
    if unbound:
        raise HostError(
            f'Function "{name}": the parameters {sorted(unbound)} are declared in Python but have no binding.'
        )
    if trigger not in parameters:
        raise HostError(f'Function "{name}": the trigger\'s parameter "{trigger}" is missing in Python.')


def _check_trigger_type(
    name: str, trigger: Mapping[str, Any], hints: Mapping[str, Any]
) -> type[str] | type[bytes] | None:
    """Refuses an annotation that the worker refuses; returns the annotation when it asks for the bare body."""
    annotation = hints.get(trigger["name"])
    if annotation is None:
        return None
    if annotation is str or annotation is bytes:
        return annotation
    if typing.get_origin(annotation) is None and not isinstance(annotation, type):
        raise HostError(f'Function "{name}": "{trigger["name"]}" has the invalid annotation {annotation!r}.')
    if trigger["type"] == HTTP and extension.loaded():
        accepted = extension.is_request(annotation)
    else:
        accepted = _converter_accepts(trigger["type"], annotation)
    if not accepted:
        hint = " (an app that imports the FastAPI extension must use its Request everywhere)" * extension.loaded()
        raise HostError(
            f'Function "{name}": the type of "{trigger["name"]}" in the {trigger["type"]} binding does not match '
            f'its Python annotation "{getattr(annotation, "__name__", annotation)}"{hint}.'
        )
    return None


def _converter_accepts(kind: str, annotation: Any) -> bool:
    try:
        return bool(converter(kind).check_input_type_annotation(annotation))
    except TypeError:
        # The converters call issubclass, which takes no generic alias.
        return False


def converter(binding: str) -> Any:
    """Microsoft's converter for a binding type, which decodes what triggers give and encodes what functions return."""
    registry: Any = azure.functions.get_binding_registry
    return registry().get(binding)


def _check_return_type(name: str, annotation: Any) -> None:
    if not isinstance(annotation, type):
        raise HostError(f'Function "{name}": the return annotation {annotation!r} must be one type.')
    if extension.loaded():
        accepted = extension.is_response(annotation)
    else:
        accepted = issubclass(annotation, azure.functions.HttpResponse | str)
    if not accepted:
        raise HostError(
            f'Function "{name}": the return annotation "{annotation.__name__}" does not match the binding type "http".'
        )
