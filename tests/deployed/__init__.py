"""Tests that run on the deployed Python, with Microsoft's worker and with the package that is deployed."""
