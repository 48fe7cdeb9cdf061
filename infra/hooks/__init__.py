"""What azd runs before provisioning, after it and after deploying. Standard library only: nothing is installed yet."""
