/** Puts the page together: who hears of what. */

import { Api, ApiError } from "./api.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { Credentials } from "./credentials.js";
import { byId } from "./dom.js";
import { SignIn } from "./signin.js";
import { Storage } from "./storage.js";
import { View, confirmClearing } from "./view.js";
import { problemWords } from "./words.js";

const OFFLINE = "You are offline. Everything here continues when you are back.";

const storage = new Storage();
const credentials = new Credentials(storage);
const api = new Api(new URL("../", import.meta.url), credentials);
const view = new View();
const conversation = new Conversation(api, storage, {
  added: (turn, isNew) => {
    view.add(turn, isNew, actions);
    composer.setBusy(conversation.active !== null);
  },
  changed: (turn) => {
    view.change(turn);
    composer.setBusy(conversation.active !== null);
  },
  emptied: () => {
    view.empty();
    composer.setBusy(false);
    composer.focus();
  },
});

let loading = Promise.resolve();

/** @type {import("./message.js").Actions} */
const actions = {
  retry: (turn) => ask(turn.question),
  wake: () => conversation.wake(),
  rate: (turn, rating, comment) => conversation.rate(turn, rating, comment),
  loadTimeline: (turn) => conversation.loadTimeline(turn),
  say: view.say,
};
const composer = new Composer({ ask, stop: () => conversation.stop() });
const signIn = new SignIn((key) => credentials.provide(key));

/** A question asked while the history is still on its way comes after it. @param {string} question */
async function ask(question) {
  await loading;
  if (conversation.active === null) conversation.ask(question);
  composer.focus();
}

async function load() {
  byId("reload").hidden = true;
  view.setLoading(storage.sessionId !== null);
  try {
    await conversation.load();
    showConnection();
  } catch (error) {
    const words = error instanceof ApiError ? problemWords(error.problem) : "Your conversation could not be loaded.";
    view.setBanner(navigator.onLine ? words : OFFLINE);
    byId("reload").hidden = false;
  }
  view.setLoading(false);
}

async function clear() {
  if (!(await confirmClearing())) return;
  try {
    await conversation.clear();
    view.say("The history was cleared.");
  } catch {
    view.setBanner("The history could not be cleared. Try again in a moment.");
  }
}

function showConnection() {
  view.setBanner(navigator.onLine ? "" : OFFLINE);
}

/** Something was typed into the address: perhaps a key. */
function takeKey() {
  credentials.takeFromAddress(location, history);
}

credentials.onNeeded = (problem) => {
  view.setOpen(false);
  composer.setVisible(false);
  signIn.ask(problem);
};
credentials.onProvided = () => {
  signIn.close();
  view.setOpen(true);
  composer.setVisible(true);
  composer.focus();
};

byId("reload").addEventListener("click", () => (loading = load()));
byId("new-chat").addEventListener("click", () => conversation.startNew());
byId("clear").addEventListener("click", clear);
byId("suggestions").addEventListener("click", (event) => {
  const suggestion = /** @type {HTMLElement} */ (event.target).closest("button");
  if (suggestion) ask(suggestion.textContent?.trim() ?? "");
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing && !document.querySelector("dialog[open]")) conversation.stop();
});
addEventListener("hashchange", takeKey);
addEventListener("offline", showConnection);
addEventListener("online", () => {
  if (byId("reload").hidden) showConnection();
  else loading = load();
  conversation.wake();
});
addEventListener("pagehide", () => conversation.save());

takeKey();
if (!credentials.known) credentials.ask();
loading = load();
await loading;
composer.focus();
