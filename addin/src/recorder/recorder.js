// The admin's flight recorder: a run's log, played back. Reads the log page by page, and goes on while the run does.

import { isClosed } from "../story.js";
import { element, setText } from "../view/element.js";
import { MailPane, marksOf } from "../view/mail.js";
import { Fields } from "./fields.js";
import { Events, showCalls, showDifferences, showFacts, showModel, showReadings, showRest, showSteps } from "./panels.js";
import { Player } from "./player.js";
import { callsOf, readingsOf, Recording } from "./recording.js";

const SOON_MS = 1000;
const SETTLED_MS = 5000;  // in review, or failed: somebody may go on with it

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const run = JSON.parse(byId("facts").textContent ?? "{}");
const recording = new Recording(run.id, run.created_at, run.first_sequence - 1);
const mail = new MailPane((key) => fields.focus(key));
const fields = new Fields(byId("fields"), { maySeeMail: run.may_see_mail, onPoint: (key) => mail.activate(key) });
const events = new Events(recording, (count) => player.go(count));
const player = new Player(recording, show);
/** @type {{name: string, finished_at: number}[]} */
let steps = [];
/** @type {Parameters<typeof readingsOf>[0]} */
let readings = [];

/** @param {number} count  of events that are told */
function show(count) {
  const story = recording.stories[count];
  const told = recording.envelopes.slice(0, count);
  const attempts = told.filter(({ type }) => type === "extraction_start").at(-1)?.data.attempt ?? 0;
  showFacts(story, { ...run, attempts_told: attempts });
  fields.show(story, recording.stories[Math.max(0, count - 1)]);
  mail.mark(marksOf(story));
  showModel(story, recording, count, run.may_see_mail);
  showCalls(callsOf(told));
  showRest(story);
  const until = recording.envelopes[count]?.timestamp ?? Infinity;
  showSteps(steps, run.created_at, until);
  showReadings(readingsOf(readings, until), run.created_at);
  events.show(count);
}

/** An answer of this run's own pages. @param {string} name @param {string} [query] */
async function fetched(name, query = "") {
  const response = await fetch(`${name}${query}`, { headers: { Accept: "application/json" }, cache: "no-store" });
  if (response.redirected || response.status === 403) throw new SignedOut();
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
}

class SignedOut extends Error {}

/** Everything after what is here. Whether more may follow. */
async function readOn() {
  const wasAtEnd = player.count === recording.end && !player.isPlaying;
  const before = recording.end;
  for (;;) {
    const page = await fetched("log", `?after=${recording.stories[recording.end].sequence}`);
    recording.add(page.events);
    ({ steps, readings } = page);
    if (page.closed || !page.events.length) break;
  }
  if (recording.end > before) {
    events.grown();
    player.grown(before > 0 && wasAtEnd);
  }
  return !isClosed(recording.stories[recording.end]);
}

async function readMail() {
  if (!run.may_see_mail) return;
  try {
    mail.show((await fetched("mail")).sources);
    show(player.count);
  } catch {
    mail.root.replaceChildren(element("p", { class: "quiet", text: "The mail cannot be shown." }));
  }
}

async function compare() {
  if (run.rerun_of) showDifferences((await fetched("differences")).differences);
}

/** @param {string} text  "" for none */
function say(text) {
  setText(byId("problem"), text);
  byId("problem").hidden = !text;
}

async function watch() {
  let [more, told] = [true, 0];
  while (more) {
    const { state } = recording.stories[recording.end];
    await new Promise((resolve) => setTimeout(resolve, ["review", "failed"].includes(state) ? SETTLED_MS : SOON_MS));
    if (document.hidden) continue;
    try {
      more = await readOn();
      if (recording.end > told) await compare();
      told = recording.end;
      say("");
    } catch (error) {
      if (error instanceof SignedOut) return say("You are signed out. Reload the page.");
      say("The server cannot be reached. What is shown is what was read until then.");
    }
  }
}

async function open() {
  if (run.may_see_mail) byId("mail").replaceChildren(mail.root);
  for (const time of document.querySelectorAll("time[data-at]")) time.textContent = new Date(Number(time.getAttribute("data-at")) * 1000).toLocaleString();
  let more = true;
  try {
    more = await readOn();
    await compare();
  } catch (error) {
    say(error instanceof SignedOut ? "You are signed out. Reload the page." : "The log cannot be read.");
  }
  player.start();
  byId("recorder").dataset.state = "ready";
  await readMail();
  if (more) await watch();
}

void open();
