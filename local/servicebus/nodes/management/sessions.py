"""Management operations on message sessions."""

from itertools import islice

from local.servicebus.amqp.types import Array, Int, Timestamp
from local.servicebus.broker.errors import BadRequest, MessageTooLarge
from local.servicebus.nodes.management.operation import Answer, Call

STRING_ARRAY = 0xB1
LIST_ALL_MS = 253_402_300_800_000
MAX_LISTED_SESSIONS = 1000
MAX_SKIPPED_SESSIONS = 10_000_000


def renew_session_lock(call: Call) -> Answer:
    """Extends the session's lock; answers with its new end."""
    return Answer({"expiration": Timestamp(int(call.queue.renew_session(call.session()) * 1000))})


def get_session_state(call: Call) -> Answer:
    """What the application stored with the session."""
    return Answer({"session-state": call.session().state})


def set_session_state(call: Call) -> Answer:
    """Stores what the application wants to keep with the session; null clears it."""
    state = call.arguments.optional_binary("session-state")
    if state is not None and len(state) > call.max_message_bytes:
        raise MessageTooLarge(f"A session state has at most {call.max_message_bytes} bytes.")
    call.queue.set_session_state(call.session(), state)
    return Answer()


def get_message_sessions(call: Call) -> Answer:
    """Lists session ids: of all sessions in use, or of those whose state was set after a time."""
    arguments = call.arguments
    updated_after_ms = arguments.integer("last-updated-time")
    skip, top = arguments.integer("skip"), min(arguments.integer("top"), MAX_LISTED_SESSIONS)
    if not 0 <= skip <= MAX_SKIPPED_SESSIONS or top < 0:
        raise BadRequest(f"'skip' must be from 0 to {MAX_SKIPPED_SESSIONS}, 'top' not negative.")
    updated_after = None if updated_after_ms >= LIST_ALL_MS else updated_after_ms / 1000
    ids = list(islice(call.queue.sessions.listed(updated_after), skip, skip + top))
    if not ids:
        return Answer(status=204, condition="com.microsoft:session-not-found")
    return Answer({"skip": Int(skip + len(ids)), "sessions-ids": Array(STRING_ARRAY, ids)})
