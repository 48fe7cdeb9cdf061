// OpenAI's JavaScript client, streaming. OPENAI_BASE_URL and OPENAI_API_KEY say whom it talks to; nothing else does.
import OpenAI from "openai";

const question = process.argv.slice(2).join(" ") || "Hello";
const client = new OpenAI();
const stream = await client.chat.completions.create({
  model: "gpt-4o-mini",
  messages: [{ role: "user", content: question }],
  stream: true,
});
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta?.content ?? "");
process.stdout.write("\n");
