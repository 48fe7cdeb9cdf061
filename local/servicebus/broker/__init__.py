"""Queue semantics: locks, sessions, schedules, expiry, dead letters. Knows messages, but no connections."""
