// The page at `/`: wires the forms, a session and the view.

import { edited, having, UNEDITED } from "./corrections.js";
import { emailFromFile, emailFromText, objectionTo } from "./mailin.js";
import { Problem, Server } from "./server.js";
import { Session } from "./session.js";
import { View } from "./view.js";
import { filesOf } from "./view/notices.js";
import { statusOf, timingsLine } from "./words.js";

const RUN = "wellintake.run";
const EDITS = "wellintake.edits";
const KEY = "wellintake.key";

/** @template {HTMLElement} T @param {string} id @returns {T} */
const byId = (id) => /** @type {T} */ (document.getElementById(id));

const facts = JSON.parse(byId("server").textContent ?? "{}");
const server = new Server({ bearer: facts.bearer, apiKey: facts.bearer ? null : sessionStorage.getItem(KEY) });
let session = new Session(server, () => {});

const view = new View(byId("result"), {
  onEdit: (key, text) => change(edited(session.edits, key, text)),
  onSkip: (person, skip) => change({ ...session.edits, skipped: having(session.edits.skipped, person, skip) }),
  onWithout: (file, without) => change({ ...session.edits, without: having(session.edits.without, file, without) }),
  onAllow: (allowDuplicate) => change({ ...session.edits, allowDuplicate }),
  onSave: save,
  onUndo: () => attempt(() => session.undo()),
  onFollowUp: () => attempt(() => session.followUp()),
  onCancel: () => attempt(() => session.cancel()),
  onRetry: () => attempt(() => session.retry()),
  onNew: leave,
});

// ------------------------------------------------------------ one run

/** @param {() => Promise<object> | object} read  the e-mail */
async function begin(read) {
  if (!facts.bearer && !server.apiKey) return askForKey();
  show(new Session(server, draw));
  const mine = session;
  await attempt(async () => {
    const run = await mine.start(await read());
    if (mine !== session) return;
    sessionStorage.setItem(RUN, JSON.stringify(run));
    await mine.follow(run.runId, run.cursor);
  }, leave);
}

async function resume() {
  const run = JSON.parse(sessionStorage.getItem(RUN) ?? "null");
  if (!run || (!facts.bearer && !server.apiKey)) return;
  show(new Session(server, draw));
  session.edits = JSON.parse(sessionStorage.getItem(EDITS) ?? "null") ?? UNEDITED;
  await attempt(() => session.follow(run.runId, run.cursor), leave);
}

/** @param {Session} next */
function show(next) {
  session.leave();
  session = next;
  drawnSources = null;
  view.clear();
  say("");
  byId("start").hidden = true;
  byId("result").hidden = false;
  draw();
  view.status.focus({ preventScroll: true });
  scrollTo({ top: 0 });
}

function leave() {
  session.leave();
  sessionStorage.removeItem(RUN);
  sessionStorage.removeItem(EDITS);
  byId("result").hidden = true;
  byId("start").hidden = false;
  byId("title").focus();
}

async function save() {
  if (!view.save.hidden && !view.save.disabled) await attempt(() => session.save(filesOf(session.story)));
}

/** @param {import("./corrections.js").Edits} edits */
function change(edits) {
  session.edits = edits;
  sessionStorage.setItem(EDITS, JSON.stringify(edits));
  draw();
}

/** Do something that the server may refuse, and say its words. @param {() => unknown} work @param {() => void} [otherwise] */
async function attempt(work, otherwise) {
  say("");
  try {
    await work();
  } catch (error) {
    otherwise?.();
    if (error instanceof Problem && error.status === 401) return refuseKey();
    if (session.duplicate) return say("The CRM already holds this deal. Nothing was written; you may save it as a new one all the same.");
    say(error instanceof Error ? error.message : String(error));
    if (!(error instanceof Problem)) console.error(error);
  }
}

// ------------------------------------------------------------ drawing, at most once a frame

let due = false;
/** @type {Record<string, string> | null} */
let drawnSources = null;

function draw() {
  if (due) return;
  due = true;
  // A tab in the background draws no frames, but its title and its live region should not stand still.
  const soon = document.hidden ? (/** @type {() => void} */ now) => setTimeout(now, 200) : requestAnimationFrame;
  soon(() => {
    due = false;
    if (session.sources && session.sources !== drawnSources) view.mail.show((drawnSources = session.sources));
    const { story, edits, rung, clock, offer } = session;
    view.render({ story, edits, rung, offer, status: statusOf(story, session), timings: timingsLine(clock, story.timings),
      saveAs: session.duplicate ? "Save all the same" : "Save to the CRM" });
  });
}

/** @param {string} text  "" for silence */
function say(text) {
  byId("problem").textContent = text;
  byId("problem").hidden = !text;
}

// ------------------------------------------------------------ the key

function askForKey() {
  byId("key-form").hidden = false;
  byId("key").focus();
}

function refuseKey() {
  if (facts.bearer) return say("This page has been open for a long time. Please reload it.");
  sessionStorage.removeItem(KEY);
  server.apiKey = null;
  say("The server does not know this key.");
  askForKey();
}

byId("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  server.apiKey = /** @type {HTMLInputElement} */ (byId("key")).value.trim();
  sessionStorage.setItem(KEY, server.apiKey);
  byId("key-form").hidden = true;
  say("");
  byId("title").focus();
});

// ------------------------------------------------------------ ways in

for (const button of document.querySelectorAll("[data-sample]"))
  button.addEventListener("click", () => begin(async () => {
    const response = await fetch(button.getAttribute("data-sample") ?? "");
    if (!response.ok) throw new Error("This sample could not be loaded.");
    return emailFromFile(await response.blob());
  }));

const form = /** @type {HTMLFormElement} */ (byId("paste-form"));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const typed = Object.fromEntries(new FormData(form));
  void begin(() => emailFromText({ from: String(typed.from), subject: String(typed.subject), body: String(typed.body) }));
});

/** @param {FileList | null | undefined} files */
function take(files) {
  const file = files?.[0];
  if (!file) return;
  const objection = objectionTo(file);
  if (objection) return say(objection);
  void begin(() => emailFromFile(file));
}

const chooser = /** @type {HTMLInputElement} */ (byId("file"));
chooser.addEventListener("change", () => {
  take(chooser.files);
  chooser.value = "";
});

for (const type of /** @type {const} */ (["dragover", "dragleave", "drop"]))
  addEventListener(type, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    byId("drop").toggleAttribute("data-over", type === "dragover");
    if (type === "drop") take(event.dataTransfer.files);
  });

addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    if (!byId("result").hidden) void save();
    else if (form.contains(document.activeElement)) form.requestSubmit();
  }
});

if (!facts.bearer && !server.apiKey) byId("key-form").hidden = false;
void resume();
