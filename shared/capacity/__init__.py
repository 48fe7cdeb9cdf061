"""Whose tokens a turn is answered with: budgets, the line before them, deployments, and the calls themselves."""
