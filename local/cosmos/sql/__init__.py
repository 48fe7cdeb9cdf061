"""The query language: text to tokens, to a tree, to compiled closures; and back to text for rewritten queries."""
