"""The deployment, checked without Azure: the templates are evaluated and held against the platform's rules."""
