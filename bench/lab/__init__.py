"""The load lab: scenarios, arms that answer the same schedule, and a referee."""
