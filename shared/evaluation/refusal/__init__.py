"""Rules that tell refusal, partial refusal and compliance apart, without a model."""
