"""Application Insights on loopback: telemetry ingestion and the Log Analytics query API."""
