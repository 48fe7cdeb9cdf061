"""Which operation a request asks for, and how its result or error becomes a reply."""

from typing import Any

from local.servicebus.amqp.connection import Connection
from local.servicebus.amqp.types import Int, Symbol
from local.servicebus.broker.consumer import Consumer
from local.servicebus.broker.errors import BrokerError, NotSupported
from local.servicebus.broker.queue import Queue
from local.servicebus.nodes.management import messages, sessions
from local.servicebus.nodes.management.arguments import Arguments
from local.servicebus.nodes.management.operation import Answer, Call, Operation
from local.servicebus.nodes.receiver import Receiver
from local.servicebus.nodes.requests import Request, encode_reply

PREFIX = "com.microsoft:"

OPERATIONS: dict[str, Operation] = {
    "renew-lock": messages.renew_lock,
    "update-disposition": messages.update_disposition,
    "schedule-message": messages.schedule_message,
    "cancel-scheduled-message": messages.cancel_scheduled_message,
    "peek-message": messages.peek_message,
    "receive-by-sequence-number": messages.receive_by_sequence_number,
    "renew-session-lock": sessions.renew_session_lock,
    "get-session-state": sessions.get_session_state,
    "set-session-state": sessions.set_session_state,
    "get-message-sessions": sessions.get_message_sessions,
}


class Management:
    """$management of one queue, for one connection."""

    def __init__(self, queue: Queue, connection: Connection, max_message_bytes: int) -> None:
        self._queue = queue
        self._connection = connection
        self._max_message_bytes = max_message_bytes

    def answer(self, request: Request) -> bytes:
        """Handles one request; an error becomes a reply with its status and condition."""
        try:
            result, description = self._call(request), "OK"
        except BrokerError as error:
            result, description = Answer(status=error.status, condition=error.condition), error.description
        properties: dict[str, Any] = {"statusCode": Int(result.status), "statusDescription": description}
        if result.condition is not None:
            properties["errorCondition"] = Symbol(result.condition)
        return encode_reply(request, properties, result.body)

    def _call(self, request: Request) -> Answer:
        name = request.properties.get("operation")
        operation = OPERATIONS.get(name.removeprefix(PREFIX)) if isinstance(name, str) else None
        if operation is None:
            raise NotSupported(f"The management operation {name!r} is not covered by this service.")
        link_name = request.properties.get("associated-link-name")

        def is_caller(consumer: Consumer) -> bool:
            if not isinstance(consumer, Receiver) or consumer.link.session.connection is not self._connection:
                return False
            return link_name is None or consumer.link.request.name == link_name

        return operation(Call(self._queue, Arguments(request.body), is_caller, self._max_message_bytes))
