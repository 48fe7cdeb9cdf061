"""How quickly model deployments answer: measured from outside, with the official OpenAI SDK, nothing of the app."""
