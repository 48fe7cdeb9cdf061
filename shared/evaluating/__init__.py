"""Evaluation inside the app: runs over a set of questions, sampled production turns, reports and roll-ups."""
