"""What is done once a minute, whatever callers do: look at lanes, sum up turns, ask quiet deployments."""
