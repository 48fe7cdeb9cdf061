"""The scorecard: one result for executives, product people and data scientists, as JSON and as one HTML page."""
