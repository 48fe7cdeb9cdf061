"""HTTP triggers: routes, keys and the way from a request to an answer."""
