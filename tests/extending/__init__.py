"""What each example change of docs/extending.md must do. Run by tests/test_extending.py in a tree with the change."""
