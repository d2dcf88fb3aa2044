// A mail list, a reading pane, two ribbon buttons: as much of Outlook as shows the add-in, for a demo and for the tests.

import { element } from "../view/element.js";

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @typedef {{itemId: string, subject: string, from: {displayName: string, emailAddress: string} | null, html: string | null, text: string | null,
 *   attachments: {name: string}[]}} Mail */

class Simulator {
  /** @type {Mail | null} */
  mail = null;
  /** @type {Mail[]} */
  mails = [];
  /** What shall go wrong: by name of the call `"silent"` or an error's number; `stale: true`. @type {Record<string, any>} */
  faults = {};
  /** The newest requirement set "Mailbox 1.x" that this Outlook has. */
  version = 13;
  /** Does this Outlook lend its session (nested app authentication)? */
  signsIn = false;
  /** In which this Outlook speaks to its user; the pane and the commands ask for it when they are opened. */
  language = "en-US";
  /** @type {Set<() => void>} */
  #listeners = new Set();
  /** @type {Map<string, (event: object) => void>} */
  #commands = new Map();
  /** @type {Map<string, any>} */
  #bars = new Map();

  /** @param {Mail} mail */
  add(mail) {
    this.mails.push(mail);
    byId("mails").append(element("li", {}, element("button", { type: "button", class: "mail-row", "data-testid": "mail", "data-id": mail.itemId, onclick: () => this.select(mail) },
      element("strong", { text: mail.from?.displayName ?? "" }), element("span", { text: mail.subject }))));
  }

  /** @param {Mail | null} mail */
  select(mail) {
    this.mail = mail;
    for (const row of document.querySelectorAll(".mail-row")) row.setAttribute("aria-current", String(row.getAttribute("data-id") === mail?.itemId));
    byId("subject").textContent = mail?.subject ?? "Select a mail";
    byId("from").textContent = mail?.from ? `${mail.from.displayName} <${mail.from.emailAddress}>` : "";
    byId("body").textContent = mail?.text ?? textOf(mail?.html ?? "");
    this.#drawBar();
    if (!this.faults.stale) for (const listener of this.#listeners) setTimeout(listener);
  }

  /** @param {() => void} listener */
  onMail(listener) {
    this.#listeners.add(listener);
  }

  /** @param {string} name @param {(event: object) => void} run */
  offer(name, run) {
    this.#commands.set(name, run);
    byId("quick-save").removeAttribute("disabled");
  }

  /** @param {string} mail @param {{type: string, message: string}} message */
  notify(mail, message) {
    this.#bars.set(mail, message);
    this.#drawBar();
  }

  #drawBar() {
    const message = this.#bars.get(this.mail?.itemId ?? "");
    byId("bar").hidden = !message;
    byId("bar").textContent = message?.message ?? "";
    byId("bar").setAttribute("data-type", message?.type ?? "");
  }

  openPane() {
    this.closePane();
    byId("pane").hidden = false;
    byId("pane").append(element("iframe", { src: "/addin/simulator/taskpane.html", title: "Well Intake", "data-testid": "pane" }));
  }

  /** @param {string} tag BCP 47 */
  speak(tag) {
    this.language = tag;
    this.loadCommands();
    if (!byId("pane").hidden) this.openPane();
  }

  /** The page of the ribbon's commands, which has no window. */
  loadCommands() {
    this.#commands.clear();
    byId("quick-save").setAttribute("disabled", "");
    document.querySelector("iframe[hidden]")?.remove();
    document.body.append(element("iframe", { src: "/addin/simulator/commands.html", hidden: true, title: "Commands" }));
  }

  closePane() {
    this.#listeners.clear();
    byId("pane").querySelector("iframe")?.remove();
    byId("pane").hidden = true;
  }

  run(/** @type {string} */ name) {
    return new Promise((resolve) => this.#commands.get(name)?.({ completed: () => resolve(undefined) }));
  }
}

/** @param {string} html */
const textOf = (html) => new DOMParser().parseFromString(html, "text/html").body.textContent ?? "";

const simulator = new Simulator();
/** @type {any} */ (window).simulator = simulator;
for (const mail of JSON.parse(byId("mails-data").textContent ?? "[]")) simulator.add(mail);
simulator.select(simulator.mails[0] ?? null);
byId("intake").addEventListener("click", () => simulator.openPane());
byId("close").addEventListener("click", () => simulator.closePane());
byId("quick-save").addEventListener("click", () => simulator.run("quickSave"));
byId("language").addEventListener("change", ({ target }) => simulator.speak(/** @type {HTMLSelectElement} */ (target).value));
simulator.loadCommands();
