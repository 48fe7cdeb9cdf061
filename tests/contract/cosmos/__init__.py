"""local/cosmos as its users see it: real processes, real SDKs, and golden bytes."""
