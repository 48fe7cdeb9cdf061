"""Azure on loopback: real processes that speak the real protocols. Never packaged, never imported by the app."""
