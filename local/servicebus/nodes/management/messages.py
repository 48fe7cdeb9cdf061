"""Management operations on messages: locks, settlement, schedules, browsing, deferred messages."""

from uuid import UUID

from local.servicebus.amqp.encoder import encode
from local.servicebus.amqp.types import Array
from local.servicebus.broker.errors import BadRequest, MessageTooLarge
from local.servicebus.broker.message import Content, read_content
from local.servicebus.broker.queue import Queue
from local.servicebus.nodes.management.arguments import Arguments
from local.servicebus.nodes.management.operation import Answer, Call

LONG_ARRAY = 0x81
TIMESTAMP_ARRAY = 0x83
MAX_BROWSED_MESSAGES = 1000
_RECEIVE_AND_DELETE = 0


def renew_lock(call: Call) -> Answer:
    """Extends message locks; answers with their new ends."""
    ends = [call.queue.renew_lock(token) for token in call.arguments.lock_tokens("lock-tokens")]
    return Answer({"expirations": Array(TIMESTAMP_ARRAY, [int(end * 1000) for end in ends])})


def update_disposition(call: Call) -> Answer:
    """Settles messages without their link."""
    arguments = call.arguments
    status = arguments.text("disposition-status")
    for token in arguments.lock_tokens("lock-tokens"):
        _settle(call.queue, token, status, arguments)
    return Answer()


def schedule_message(call: Call) -> Answer:
    """Takes messages for a later time; answers with their sequence numbers."""
    contents = [_scheduled(item.binary("message"), call) for item in call.arguments.maps("messages")]
    return Answer({"sequence-numbers": Array(LONG_ARRAY, list(call.queue.put(contents)))})


def cancel_scheduled_message(call: Call) -> Answer:
    """Removes messages that are not active yet."""
    call.queue.cancel_scheduled(call.arguments.integers("sequence-numbers"))
    return Answer()


def peek_message(call: Call) -> Answer:
    """Shows messages without locking them: at most as many as fit into one message, but at least one."""
    arguments = call.arguments
    count = min(arguments.integer("message-count"), MAX_BROWSED_MESSAGES)
    room = call.max_message_bytes
    messages: list[dict[str, bytes]] = []
    for message in call.queue.browse(arguments.integer("from-sequence-number"), arguments.optional_text("session-id")):
        encoded = message.encode()
        room -= len(encoded)
        if len(messages) >= count or (messages and room < 0):
            break
        messages.append({"message": encoded})
    if not messages:
        return Answer(status=204, condition="com.microsoft:message-not-found")
    return Answer({"messages": messages})


def receive_by_sequence_number(call: Call) -> Answer:
    """Receives deferred messages, locked or for good."""
    arguments = call.arguments
    delete = arguments.integer("receiver-settle-mode") == _RECEIVE_AND_DELETE
    session = call.session() if call.queue.settings.requires_session else None
    received: list[dict[str, bytes | UUID]] = []
    for message in call.queue.receive_deferred(arguments.integers("sequence-numbers"), delete=delete, session=session):
        if message.lock_token is None:
            received.append({"message": message.encode()})
        else:
            token = UUID(bytes_le=message.lock_token)
            received.append({"message": message.encode_with_lock_token(encode(token)), "lock-token": token})
    return Answer({"messages": received})


def _scheduled(raw: bytes, call: Call) -> Content:
    if len(raw) > call.max_message_bytes:
        raise MessageTooLarge(f"A message of {len(raw)} bytes exceeds the limit of {call.max_message_bytes} bytes.")
    return read_content(raw)


def _settle(queue: Queue, token: bytes, status: str, arguments: Arguments) -> None:
    properties = arguments.optional_map("properties-to-modify")
    if status == "completed":
        queue.complete(token)
    elif status == "abandoned":
        queue.abandon(token, properties)
    elif status == "defered":
        queue.defer(token, properties)
    elif status == "suspended":
        reason = arguments.optional_text("deadletter-reason")
        queue.dead_letter(token, reason, arguments.optional_text("deadletter-description"), properties)
    elif status == "unlocked":
        queue.release(token)
    else:
        raise BadRequest(f"The disposition status '{status}' is not known.")
