"""Statistics in plain Python, each checked against scipy or statsmodels by the tests."""
