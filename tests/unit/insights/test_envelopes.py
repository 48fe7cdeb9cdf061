"""Envelopes become rows of the table's width, or are refused with the field's name; nothing else happens."""

_KINDS = [
    "RequestData",
    "RemoteDependencyData",
    "MessageData",
    "ExceptionData",
    "EventData",
    "MetricData",
    "AvailabilityData",
]
