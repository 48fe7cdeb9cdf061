"""KQL on DuckDB: duckdb-kql translates what it knows, stages of our own run the monitoring operators it lacks."""
