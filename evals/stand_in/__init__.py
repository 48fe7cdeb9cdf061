"""A judge for machines without a model: it compares words, which shows that evaluation works and nothing more."""
