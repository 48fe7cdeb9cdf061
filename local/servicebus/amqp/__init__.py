"""AMQP 1.0 as the OASIS specification defines it: types, frames, sessions, links. Knows nothing of queues."""
