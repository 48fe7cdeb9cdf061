"""Alerts: one table and its queries, which Azure and local runs evaluate alike. `python -m infra.alerts --help`."""
