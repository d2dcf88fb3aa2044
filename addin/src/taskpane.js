// The add-in's pane: the mail before the user in Outlook, read when they ask for it, and what came of it.

import { Desk } from "./desk.js";
import { KeyForm } from "./key.js";
import { MailMemory } from "./memory.js";
import { Outlook } from "./outlook.js";
import { Server } from "./server.js";
import { SignIn } from "./signin.js";
import { speak, text } from "./texts.js";
import { openAhead } from "./transport/socket.js";
import { putIntoWords } from "./view/page.js";

/** @template {HTMLElement} T @param {string} id @returns {T} */
const byId = (id) => /** @type {T} */ (document.getElementById(id));

const facts = JSON.parse(byId("server").textContent ?? "{}");
const server = new Server({ bearer: facts.bearer });
const outlook = new Outlook(/** @type {any} */ (globalThis).Office);

/** What a key was asked for, done once it is there. */
let wanted = () => {};
const signIn = facts.entra ? new SignIn(facts.entra, outlook) : null;
const key = new KeyForm(server, byId("key-form"), { storage: localStorage, isDemo: Boolean(facts.bearer), signIn, onKey: () => {
  desk.say("");
  wanted();
}, onTrouble: (error) => void desk.attempt(() => {
  throw error;
}) });
// Whoever opens the pane is about to read a mail, or goes on with one.
if (!key.isMissing && (!signIn || key.isDemo)) server.prepare((terms) => openAhead(server, terms));

speak(navigator.language);
/** What keeps Outlook from working, if anything does; only a working one says in which language it speaks. */
const trouble = await outlook.ready().then(() => null, (/** @type {unknown} */ error) => error);
speak(outlook.language ?? navigator.language);
putIntoWords(document);
if (signIn && !trouble) {
  byId("hint").textContent = text("signIn.running");
  await key.enter();
}

const desk = new Desk(server, { result: byId("result"), start: byId("start"), problem: byId("problem") }, { key, onAway: turnAway, again: { text: text("readAgain"), act: read }, showsMail: false });

/** The mail that the pane shows. @type {string | null} */
let shown = null;
/** @type {MailMemory} */
let memory;

/** Show what is known of the mail before the user. Only a press on a button hands a mail in. */
function turn() {
  const mail = outlook.mail;
  if (mail && mail.id === shown) return;
  shown = mail?.id ?? null;
  desk.rest();
  key.offer();
  byId("subject").textContent = mail ? mail.subject || text("pane.noSubject") : text("pane.noMail");
  byId("hint").textContent = text(mail ? "pane.notHandedIn" : "pane.select");
  byId("read").hidden = !mail;
  if (mail) desk.resume(placeOf(mail.id));
}

/** @param {string} id */
const placeOf = (id) => ({ memory: memory.of(id), isPresent: () => outlook.mail?.id === id });

function read() {
  const mail = outlook.mail;
  if (!mail) return turn();
  wanted = read;
  shown = mail.id;
  return desk.begin(placeOf(mail.id), async () => ({ ...(await outlook.readMail()), mode: "review" }));
}

/** The user would save one mail's result while another mail is before them. */
function turnAway() {
  turn();
  desk.say(text("pane.away"));
}

addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void (byId("result").hidden ? read() : desk.save());
});
byId("read").addEventListener("click", read);

await desk.attempt(async () => {
  if (trouble) throw trouble;
  memory = new MailMemory(localStorage, outlook.user.email);
  outlook.onMail(turn);
  turn();
  // Whoever opened the pane pressed "Intake" on this mail.
  if (outlook.mail && byId("result").hidden) await read();
});
