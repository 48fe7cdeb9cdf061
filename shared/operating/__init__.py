"""What operators read and switch: dead letters, lanes and deployments, advice."""
