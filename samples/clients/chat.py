"""OpenAI's Python client, streaming. OPENAI_BASE_URL and OPENAI_API_KEY say whom it talks to; nothing else does."""

import sys

from openai import OpenAI

question = " ".join(sys.argv[1:]) or "Hello"
with OpenAI() as client:
    stream = client.chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": question}], stream=True
    )
    for chunk in stream:
        if chunk.choices:
            print(chunk.choices[0].delta.content or "", end="", flush=True)
print()
