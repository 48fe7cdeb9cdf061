"""Evaluation of chat answers: datasets, evaluators, statistics, verdict and scorecard.

One code path serves the gate before launch and the sampled evaluation in production: the same evaluators, rubric
versions and thresholds, so that their numbers can be compared. The package needs the standard library only.
"""
