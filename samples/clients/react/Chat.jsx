// A chat box: one question, its answer as it comes, its sources.
import { useState } from "react";
import { ask } from "../events.mjs";

export function Chat({ url = "", apiKey }) {
  const [question, setQuestion] = useState("");
  const [answer, setAnswer] = useState({ text: "", sources: [], state: "idle", busy: false });
  const change = (how) => setAnswer((before) => ({ ...before, ...how(before) }));

  const take = ({ event, data }) => {
    if (event === "queued") change(() => ({ state: `Waiting, about ${Math.ceil(data.expected_wait_seconds ?? 0)} s` }));
    if (event === "delta") change(({ text }) => ({ text: text + data.text, state: "answering" }));
    if (event === "restart") change(() => ({ text: "" })); // the answer begins anew: what was shown is void
    if (event === "done") change(() => ({ sources: data.citations ?? [], state: "done" }));
    if (event === "error") change(() => ({ state: data.error.message }));
  };

  const send = async (submitted) => {
    submitted.preventDefault();
    setAnswer({ text: "", sources: [], state: "asked", busy: true });
    try {
      for await (const event of ask(url, apiKey, { message: question })) take(event);
    } catch (error) {
      change(() => ({ state: error.message }));
    } finally {
      change(() => ({ busy: false }));
    }
  };

  return (
    <form onSubmit={send}>
      <input aria-label="Question" value={question} onChange={(typed) => setQuestion(typed.target.value)} />
      <button disabled={answer.busy}>Ask</button>
      <p role="status">{answer.state}</p>
      <output>{answer.text}</output>
      <ul>
        {answer.sources.map(({ id, title, url: link }) => (
          <li key={id}>
            <a href={link}>{title}</a>
          </li>
        ))}
      </ul>
    </form>
  );
}
