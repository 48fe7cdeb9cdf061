"""Cosmos DB (NoSQL API) on loopback: the REST protocol that the official SDKs speak, over SQLite."""
