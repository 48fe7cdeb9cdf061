// The native route with fetch alone, in a browser or in Node.js: yields {id, event, data} until the answer is over,
// and goes on where it was when a connection breaks or the answer outlives it.

const RETRIES = 5;
const LAST = new Set(["done", "error"]);

export async function* ask(url, key, body, { fetch = globalThis.fetch, signal } = {}) {
  const headers = { "x-functions-key": key, Accept: "text/event-stream" };
  let turn = null;
  let last = 0;
  for (let failures = 0; ;) {
    try {
      const reply = turn
        ? await fetch(`${url}/api/chat/${turn}/stream`, {
            headers: { ...headers, "Last-Event-ID": String(last) },
            signal,
          })
        : await fetch(`${url}/api/chat`, {
            method: "POST",
            headers: { ...headers, "Content-Type": "application/json" },
            body: JSON.stringify(body),
            signal,
          });
      if (!reply.ok) throw Object.assign(new Error((await reply.json()).error.message), { final: true });
      turn ??= reply.headers.get("x-spillway-turn-id");
      for await (const event of events(reply.body)) {
        last = event.id;
        failures = 0;
        yield event;
        if (LAST.has(event.event)) return;
      }
    } catch (error) {
      // Without a turn nothing was accepted, as far as this side knows: the caller decides whether to ask again.
      if (error.final || signal?.aborted || turn === null) throw error;
    }
    if (++failures > RETRIES) throw new Error("The connection was lost and did not come back.");
    await new Promise((resolve) => setTimeout(resolve, 250 * 2 ** failures));
  }
}

async function* events(body) {
  let text = "";
  for await (const piece of pieces(body.pipeThrough(new TextDecoderStream()))) {
    const blocks = (text + piece).split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const field = (name) => block.match(new RegExp(`^${name}: (.*)$`, "m"))?.[1];
      if (field("data")) yield { id: Number(field("id")), event: field("event"), data: JSON.parse(field("data")) };
    }
  }
}

// Not every browser can iterate a stream.
async function* pieces(stream) {
  const reader = stream.getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
  } finally {
    await reader.cancel().catch(() => {});
  }
}
