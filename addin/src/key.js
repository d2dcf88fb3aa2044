// Who the user is: whoever is signed in to Office, or else the holder of a key, which is asked for once, kept where the page
// says, and sent as a header only.

import { text } from "./texts.js";

const KEY = "wellintake.key";

export class KeyForm {
  /**
   * @param {import("./server.js").Server} server @param {HTMLFormElement} form  holds one password field
   * @param {{storage: Storage, isDemo: boolean, onKey: () => void, signIn?: import("./signin.js").SignIn | null, onTrouble?: (error: unknown) => void}} page
   *   `isDemo`: the page came with a token of its own; `signIn`: how else than by a key; `onTrouble`: it did not work
   */
  constructor(server, form, { storage, isDemo, onKey, signIn = null, onTrouble = () => {} }) {
    this.server = server;
    this.form = form;
    this.field = /** @type {HTMLInputElement} */ (form.querySelector("input"));
    this.storage = storage;
    this.isDemo = isDemo;
    this.signIn = signIn;
    this.button = /** @type {HTMLButtonElement | null} */ (form.querySelector('button[type="button"]'));
    if (!isDemo) server.apiKey = keptIn(storage);
    this.button?.addEventListener("click", () => void signIn?.openly().then((token) => {
      this.#take(token);
      form.hidden = true;
      onKey();
    }).catch(onTrouble));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      server.apiKey = this.field.value.trim();
      this.field.value = "";
      keepIn(storage, server.apiKey);
      form.hidden = true;
      onKey();
    });
  }

  get isMissing() {
    return !this.isDemo && !this.server.apiKey && !this.server.bearer;
  }

  /** Whoever is signed in to Office has nothing to do here; a key that was kept is for those who are not. */
  async enter() {
    const token = this.isDemo ? null : await this.signIn?.quietly();
    if (token) this.#take(token);
  }

  /** @param {string} token */
  #take(token) {
    this.server.apiKey = null;
    this.server.bearer = token;
    this.server.renew = () => this.signIn?.quietly() ?? Promise.resolve(null);
  }

  /** There to be filled in, where it has to be. */
  offer() {
    this.form.hidden = !this.isMissing;
    if (this.button) this.button.hidden = !this.signIn?.isPossible;
  }

  ask() {
    this.offer();
    (this.button && !this.button.hidden ? this.button : this.field).focus();
  }

  /** The server does not take the credential. @returns {string} what to say about it */
  refuse() {
    if (this.isDemo) return text("key.tooOld");
    const sentence = text(this.server.apiKey ? "key.unknown" : "signIn.refused");
    this.server.apiKey = this.server.bearer = null;
    keepIn(this.storage, null);
    this.ask();
    return sentence;
  }
}

/** @param {Storage} storage */
export function keptIn(storage) {
  try {
    return storage.getItem(KEY);
  } catch {
    return null;  // storage may be switched off in a frame of another site
  }
}

/** @param {Storage} storage @param {string | null} key */
function keepIn(storage, key) {
  try {
    key ? storage.setItem(KEY, key) : storage.removeItem(KEY);
  } catch {}  // then it is asked for again next time
}
