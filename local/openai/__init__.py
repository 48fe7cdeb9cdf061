"""A local stand-in for Azure OpenAI: its REST and SSE wire, its quota arithmetic and its faults."""
