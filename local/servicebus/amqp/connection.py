"""Connections (part 2, section 2.4): handshake, channels, idle time-out, and an output buffer that is bounded."""

import asyncio
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast
from uuid import uuid4

from local.servicebus.amqp import handshake, performatives
from local.servicebus.amqp.encoder import NULL
from local.servicebus.amqp.errors import AmqpError
from local.servicebus.amqp.frames import (
    AMQP_FRAME,
    AMQP_HEADER,
    EMPTY_FRAME,
    MAX_FRAME_BYTES,
    MIN_MAX_FRAME_BYTES,
    SASL_FRAME,
    SASL_HEADER,
    Frame,
    FrameReader,
    frame,
)
from local.servicebus.amqp.link import Link
from local.servicebus.amqp.performatives import BEGIN, CLOSE, END, OPEN, Performative, field, read_performative
from local.servicebus.amqp.session import Session
from local.servicebus.amqp.types import UInt

log = logging.getLogger(__name__)

CHANNEL_MAX = 4999
MAX_LINKS = 5000
MAX_OUTPUT_BYTES = 512 * 1024
MAX_UNREAD_BYTES = 4 * 1024 * 1024
MAX_PARTIAL_MESSAGES = 64
MIN_PEER_IDLE_TIMEOUT_MS = 1000


@dataclass(slots=True, frozen=True)
class Limits:
    """What a peer may use.

    Attributes:
        max_message_bytes: Size of one message, or of one batch.
        handshake_seconds: Time from connecting to the open frame.
        idle_timeout_seconds: Announced to the peer; a connection that is silent for twice as long is closed.
        link_idle_seconds: A link to a queue over which nothing came or went for so long is detached.
    """

    max_message_bytes: int = 256 * 1024
    handshake_seconds: float = 10
    idle_timeout_seconds: float = 240
    link_idle_seconds: float = 600


class Service(Protocol):
    """What the broker offers to one connection."""

    def attach(self, link: Link) -> None:
        """Accepts the link now or later, or refuses it by raising AmqpError."""

    def closed(self) -> None:
        """The connection is gone."""


class Connection(asyncio.Protocol):
    """One client's TCP connection.

    Attributes:
        service: What the broker offers to it.
        limits: What the peer may use.
        peer_frame_bytes: The largest frame the peer takes.
    """

    def __init__(
        self, serve: Callable[["Connection"], Service], touch: Callable[["Connection"], None], limits: Limits
    ) -> None:
        self.limits = limits
        self.peer_frame_bytes = MIN_MAX_FRAME_BYTES
        self.service = serve(self)
        self._links = 0
        self._partial_bytes = 0
        self._touch = touch
        self._reader = FrameReader()
        self._sessions: dict[int, Session] = {}
        self._output: list[bytes] = []
        self._output_bytes = 0
        self._opened = self._closing = self._lost = self._write_paused = False
        self._last_heard = 0.0
        self._timers: list[asyncio.TimerHandle] = []
        self._id = uuid4().hex

    @property
    def is_congested(self) -> bool:
        """True while the peer reads more slowly than messages could be sent."""
        return self._write_paused or self._output_bytes >= MAX_OUTPUT_BYTES

    @property
    def now(self) -> float:
        """Seconds on the event loop's clock."""
        return self._loop.time()

    @property
    def is_lost(self) -> bool:
        """True after the TCP connection ended."""
        return self._lost

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Starts the handshake's clock."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport.set_write_buffer_limits(high=MAX_OUTPUT_BYTES)
        self._loop = asyncio.get_running_loop()
        self._last_heard = self._loop.time()
        self._after(self.limits.handshake_seconds, self._check_handshake)
        self._after(self.limits.idle_timeout_seconds, self._check_silence)
        self._after(self.limits.link_idle_seconds, self._check_links)

    def connection_lost(self, exc: Exception | None) -> None:
        """Releases everything the connection held."""
        del exc
        self._closing = self._lost = True
        for timer in self._timers:
            timer.cancel()
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()
        self._output.clear()
        self.service.closed()
        self._touch(self)

    def data_received(self, data: bytes) -> None:
        """Handles every frame the bytes complete; a protocol error closes this connection only."""
        self._last_heard = self._loop.time()
        try:
            for item in self._reader.feed(data):
                if self._closing:
                    break
                if isinstance(item, Frame):
                    self._frame(item)
                else:
                    self._header(item)
        except AmqpError as error:
            self.fail(error)
        self._touch(self)

    def pause_writing(self) -> None:
        """The peer does not read: no more deliveries for now."""
        self._write_paused = True

    def resume_writing(self) -> None:
        """The peer reads again."""
        self._write_paused = False
        self._transport.resume_reading()
        self._resume()

    def send(self, channel: int, body: bytes) -> None:
        """Queues a frame for the end of this turn."""
        self._write(frame(channel, body))

    def describe(self, error: AmqpError) -> bytes:
        """The error as the peer is told it."""
        return performatives.error(error.condition, error.description, self._id)

    def reject(self, error: AmqpError) -> bytes:
        """The rejected outcome for an error."""
        return performatives.rejected(error.condition, error.description, self._id)

    def fail(self, error: AmqpError) -> None:
        """Closes the connection and says why."""
        if self._closing:
            return
        log.info("Closing a connection: %s: %s", error.condition, error.description)
        if self._opened:
            self.send(0, performatives.performative(CLOSE, self.describe(error)))
        self._end()

    def flush(self) -> None:
        """Writes what this turn produced. Called after it is safe to acknowledge."""
        for session in self._sessions.values():
            session.flush_outcomes()
        if not self._output or self._transport.is_closing():
            return
        was_congested = self._output_bytes >= MAX_OUTPUT_BYTES
        output, self._output, self._output_bytes = self._output, [], 0
        self._transport.write(b"".join(output))
        if self._closing:
            self._transport.close()
        elif self._transport.get_write_buffer_size() > MAX_UNREAD_BYTES:
            self._transport.pause_reading()
        elif was_congested and not self._write_paused:
            self._resume()

    def stop(self) -> None:
        """The broker stops: the client is told, so that it connects again elsewhere or later."""
        self.fail(AmqpError("amqp:connection:forced", "The service is stopping."))
        self.flush()

    def abort(self) -> None:
        """Ends the TCP connection without another word."""
        self._transport.abort()

    def count_link(self, change: int) -> None:
        """Keeps the number of links within bounds.

        Raises:
            AmqpError: There would be too many.
        """
        self._links += change
        if self._links > MAX_LINKS:
            raise AmqpError("amqp:resource-limit-exceeded", f"A connection has at most {MAX_LINKS} links.")

    def count_partial(self, change: int) -> None:
        """Keeps what unfinished messages hold within bounds.

        Raises:
            AmqpError: They would hold too much.
        """
        self._partial_bytes += change
        if self._partial_bytes > MAX_PARTIAL_MESSAGES * self.limits.max_message_bytes:
            raise AmqpError("amqp:resource-limit-exceeded", "The connection has too many unfinished messages.")

    def _resume(self) -> None:
        for session in self._sessions.values():
            session.resume()
        self._touch(self)

    def _write(self, data: bytes) -> None:
        self._output.append(data)
        self._output_bytes += len(data)
        self._touch(self)

    def _end(self) -> None:
        self._closing = True
        if not self._output:
            self._transport.close()

    def _after(self, seconds: float, action: Callable[[], None]) -> None:
        self._timers = [timer for timer in self._timers if timer.when() > self._loop.time()]
        self._timers.append(self._loop.call_later(seconds, action))

    def _check_handshake(self) -> None:
        if not self._opened:
            log.info("Closing a connection: no open frame within %s s.", self.limits.handshake_seconds)
            self._transport.abort()

    def _check_silence(self) -> None:
        silent = self._loop.time() - self._last_heard
        if silent > 2 * self.limits.idle_timeout_seconds:
            self.fail(AmqpError("amqp:resource-limit-exceeded", f"No frame was received for {silent:.0f} s."))
        else:
            self._after(self.limits.idle_timeout_seconds, self._check_silence)

    def _check_links(self) -> None:
        """Detaches the links that nobody used, as the service does however alive the connection is."""
        now, next_at = self._loop.time(), self._loop.time() + self.limits.link_idle_seconds
        for session in self._sessions.values():
            for link in list(session.links.values()):
                if link.used_at is None:
                    continue
                expires_at = link.used_at + self.limits.link_idle_seconds
                if expires_at <= now:
                    link.expire(self.limits.link_idle_seconds)
                else:
                    next_at = min(next_at, expires_at)
        self._after(next_at - now, self._check_links)

    def _beat(self, seconds: float) -> None:
        self._write(EMPTY_FRAME)
        self._after(seconds, lambda: self._beat(seconds))

    def _header(self, header: bytes) -> None:
        if header == AMQP_HEADER:
            self._write(header)
        elif header == SASL_HEADER:
            self._write(header + handshake.MECHANISMS)
        else:  # section 2.2: say what is spoken here, then close
            self._write(AMQP_HEADER)
            self._end()

    def _frame(self, received: Frame) -> None:
        if received.kind == SASL_FRAME:
            outcome, accepted = handshake.answer(received.body)
            self._write(outcome)
            self._reader.expect_header()
            if not accepted:
                self._end()
        elif received.kind != AMQP_FRAME:
            raise AmqpError("amqp:connection:framing-error", f"Frame type {received.kind} is not known.")
        elif received.body:
            self._performative(received.channel, read_performative(received.body))

    def _performative(self, channel: int, received: Performative) -> None:
        code, fields = received.code, received.fields
        if code == OPEN:
            self._open(fields)
        elif not self._opened:
            raise AmqpError("amqp:not-allowed", "The first frame of a connection must be open.")
        elif code == BEGIN:
            self._begin(channel, fields)
        elif code == END:
            session = self._sessions.pop(channel, None)
            if session is not None:
                session.close()
                session.flush_outcomes()
                self.send(channel, performatives.performative(END))
        elif code == CLOSE:
            self.send(0, performatives.performative(CLOSE, NULL))
            self._end()
        else:  # clients send detach after end when they close: what comes on a closed channel is ignored
            session = self._sessions.get(channel)
            if session is not None:
                session.handle(received)

    def _open(self, fields: list[Any]) -> None:
        if self._opened:
            raise AmqpError("amqp:not-allowed", "The connection is open already.")
        size = field(UInt(MAX_FRAME_BYTES) if fields[2] is None else fields[2], UInt, "open.max-frame-size")
        if size < MIN_MAX_FRAME_BYTES:
            raise AmqpError("amqp:invalid-field", f"max-frame-size must be at least {MIN_MAX_FRAME_BYTES}.")
        self.peer_frame_bytes = min(size, MAX_FRAME_BYTES)
        idle_ms = field(fields[4] or UInt(0), UInt, "open.idle-time-out")
        self._opened = True
        announced_ms = int(self.limits.idle_timeout_seconds * 1000)
        self.send(0, performatives.open_(f"servicebus-{self._id}", MAX_FRAME_BYTES, CHANNEL_MAX, announced_ms))
        if 0 < idle_ms < MIN_PEER_IDLE_TIMEOUT_MS:
            raise AmqpError("amqp:not-allowed", f"An idle-time-out below {MIN_PEER_IDLE_TIMEOUT_MS} ms is not kept.")
        if idle_ms:
            self._beat(idle_ms / 2000)

    def _begin(self, channel: int, fields: list[Any]) -> None:
        if channel > CHANNEL_MAX:
            raise AmqpError("amqp:connection:framing-error", f"Channel {channel} exceeds channel-max {CHANNEL_MAX}.")
        if channel in self._sessions:
            raise AmqpError("amqp:not-allowed", f"Channel {channel} has a session already.")
        self._sessions[channel] = Session(self, channel, fields)
