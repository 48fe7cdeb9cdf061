"""Service Bus triggers, on the official SDK."""
