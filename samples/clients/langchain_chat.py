"""LangChain's chat model, streaming. OPENAI_BASE_URL and OPENAI_API_KEY say whom it talks to; nothing else does."""

import sys

from langchain_openai import ChatOpenAI

question = " ".join(sys.argv[1:]) or "Hello"
for piece in ChatOpenAI(model="gpt-4o-mini").stream(question):
    print(piece.text, end="", flush=True)
print()
