/** Puts the console together: who hears of what. */

import { Credentials } from "../../js/credentials.js";
import { byId, el, setText, show } from "../../js/dom.js";
import { SignIn } from "../../js/signin.js";
import { Shelf } from "../../js/storage.js";
import { ConsoleApi } from "./api.js";
import { Filters } from "./filters.js";
import { Live } from "./live.js";
import { Tabs } from "./tabs.js";
import { View } from "./view.js";
import { Workbook } from "./workbook.js";
import { errorWords, keyWords } from "./words.js";

const KEY = "spillway.operator-key";
const LIVE = "live";

/** The operator's key, kept as the chat page keeps its own, and apart from it. */
class OperatorKey {
  #shelf = new Shelf(() => sessionStorage);

  get key() {
    return this.#shelf.read(KEY);
  }

  set key(value) {
    this.#shelf.write(KEY, value);
  }
}

const credentials = new Credentials(/** @type {any} */ (new OperatorKey()));
const api = new ConsoleApi(new URL("../../", import.meta.url), credentials);
const signIn = new SignIn((key) => credentials.provide(key), keyWords);
const live = new Live(api, announce);
const view = byId("view");
const every = /** @type {HTMLSelectElement} */ (byId("every"));

/** @type {Workbook} */ let workbook;
/** @type {Filters | null} */ let filters = null;
/** @type {View | null} */ let shown = null;
/** @type {number | undefined} */ let timer;

/** @param {string} words */
function announce(words) {
  setText(byId("announcements"), words);
}

/** @param {string} words "" hides it. */
function setBanner(words) {
  setText(byId("banner"), words);
  show(byId("banner"), words !== "");
}

async function load() {
  try {
    const found = await api.workbook();
    setBanner("");
    build(found);
  } catch (error) {
    setBanner(errorWords(error));
    setTimeout(load, 5_000);
  }
}

/** @param {import("./api.js").WorkbookReply} found */
function build({ workbook: content, queries, portal_url }) {
  workbook = new Workbook(content);
  const tabs = queries ? [...workbook.tabs, { name: LIVE, label: "Live" }] : [{ name: LIVE, label: "Live" }];
  if (queries) filters = new Filters(byId("filters"), workbook, workbook.filters, offers, refresh);
  const portal = /** @type {HTMLAnchorElement} */ (byId("portal"));
  portal.href = portal_url ?? "";
  show(portal, portal_url !== null);
  if (!queries)
    setBanner(
      "Charts are in the workbook “Spillway” of Application Insights in the Azure portal. Here you see the live state.",
    );
  show(byId("commands"), true);
  show(byId("console"), true);
  const wanted = new URLSearchParams(location.hash.slice(1)).get("tab");
  const row = new Tabs(byId("tabs"), view, tabs, open);
  row.choose(tabs.some(({ name }) => name === wanted) ? String(wanted) : tabs[0].name);
}

/** What a drop-down offers. @param {string} name */
async function offers(name) {
  const { rows } = await api.query(`parameter-${name}`, workbook.sent);
  return rows.map(([value]) => String(value)).filter((value) => value !== "");
}

/** @param {string} name */
function open(name) {
  history.replaceState(history.state, "", `#tab=${name}`);
  shown?.close();
  live.stop();
  shown = null;
  const isLive = name === LIVE;
  show(byId("filters"), !isLive);
  if (isLive) live.start();
  else {
    workbook.chooseTab(name);
    shown = new View(workbook, api, offers);
  }
  const label = isLive ? "Live" : (workbook.tabs.find((tab) => tab.name === name)?.label ?? "");
  view.replaceChildren(el("h2", { class: "visually-hidden" }, label), shown?.element ?? live.element);
  refresh();
}

/** Asks for everything that is shown, and again after the chosen time. */
async function refresh() {
  clearTimeout(timer);
  const asked = shown;
  if (asked) await Promise.all([filters?.refresh(), asked.refresh()]);
  else await live.refreshAll();
  if (asked !== shown) return;
  setText(byId("freshness"), `As of ${new Date().toLocaleTimeString("en-GB", { timeZone: "UTC" })} UTC`);
  plan();
}

function plan() {
  clearTimeout(timer);
  const seconds = Number(every.value);
  if (seconds) timer = setTimeout(() => (document.hidden ? plan() : refresh()), seconds * 1000);
}

credentials.onNeeded = (problem) => {
  show(byId("console"), false);
  show(byId("commands"), false);
  signIn.ask(problem);
};
credentials.onProvided = () => {
  signIn.close();
  if (workbook) {
    show(byId("console"), true);
    show(byId("commands"), true);
  }
};
byId("refresh").addEventListener("click", async () => {
  await refresh();
  announce("Refreshed.");
});
every.addEventListener("change", plan);
addEventListener("hashchange", () => credentials.takeFromAddress(location, history));

credentials.takeFromAddress(location, history);
load();
