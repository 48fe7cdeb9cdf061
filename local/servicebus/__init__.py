"""Azure Service Bus on loopback: queues over AMQP 1.0, spoken to by the official SDKs unmodified."""
