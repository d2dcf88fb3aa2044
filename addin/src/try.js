// The page at `/`: its ways in – samples, pasted text, files.

import { Desk } from "./desk.js";
import { KeyForm } from "./key.js";
import { emailFromFile, emailFromText, objectionTo } from "./mailin.js";
import { Server } from "./server.js";

const RUN = "wellintake.run";

/** @template {HTMLElement} T @param {string} id @returns {T} */
const byId = (id) => /** @type {T} */ (document.getElementById(id));

const facts = JSON.parse(byId("server").textContent ?? "{}");
const server = new Server({ bearer: facts.bearer });
const key = new KeyForm(server, byId("key-form"), { storage: sessionStorage, isDemo: Boolean(facts.bearer), onKey: () => {
  desk.say("");
  byId("title").focus();
} });
const desk = new Desk(server, { result: byId("result"), start: byId("start"), problem: byId("problem") }, { key });

/** A reload comes back to the run. The mail itself is read from the server again. @type {import("./desk.js").Memory} */
const memory = {
  recall: () => JSON.parse(sessionStorage.getItem(RUN) ?? "null"),
  keep: ({ story: _, ...part }) => {
    if (Object.keys(part).length) sessionStorage.setItem(RUN, JSON.stringify({ ...memory.recall(), ...part }));
  },
  forget: () => sessionStorage.removeItem(RUN),
};

/** @param {() => Promise<object> | object} read */
const begin = (read) => desk.begin({ memory }, read);

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
  if (objection) return desk.say(objection);
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
    if (!byId("result").hidden) void desk.save();
    else if (form.contains(document.activeElement)) form.requestSubmit();
  }
});

if (key.isMissing) byId("key-form").hidden = false;
desk.resume({ memory });
