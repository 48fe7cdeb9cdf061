"""Timer triggers: schedules, their state, and the lease that makes them singletons."""
