import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { afterEach, test } from "node:test";

import { dateOf, decimal, heard, speak, spoken, text } from "../src/texts.js";
import english from "../src/texts/en.js";
import spanish, { told } from "../src/texts/es.js";
import { literalsOf, modulesOf } from "./modules.js";

const ROOT = new URL("../../", import.meta.url);
const read = (/** @type {string} */ path) => readFileSync(new URL(path, ROOT), "utf8");
const pages = ["taskpane", "commands"].map((name) => read(`templates/addin/${name}.html`));
const modules = modulesOf("taskpane.js", "commands.js");
const speaking = [...modules].filter(([name]) => !name.startsWith("texts/") && name !== "picklists.js");

/** Where values go in, in no order; a text for one thing may leave its number out. @param {string | Record<string, string>} said */
const placesOf = (said) => [...new Set(JSON.stringify(said).match(/\{\w+\}/g))].sort();

/** @param {string | Record<string, string>} said */
const formsOf = (said) => (typeof said === "string" ? "" : Object.keys(said).join());

afterEach(() => speak("en"));

test("both languages have the same texts, with the same places in them", () => {
  assert.deepEqual(Object.keys(spanish), Object.keys(english));
  for (const [key, said] of Object.entries(english)) {
    const other = spanish[/** @type {keyof typeof english} */ (key)];
    assert.deepEqual([placesOf(other), formsOf(other)], [placesOf(said), formsOf(said)], key);
    assert.ok(JSON.stringify(other).length > 2, key);
  }
});

test("a text of the other language is not forgotten in English", () => {
  const same = Object.keys(english).filter((key) => english[/** @type {keyof typeof english} */ (key)] === spanish[/** @type {keyof typeof english} */ (key)]);
  const justified = ["origin.research", "rung.signalr", "rung.websocket", "time.milliseconds", "time.seconds", "fold.filled", "field.linkedin_url", "spoken", "second.field", "server.field"];

  assert.deepEqual(same.sort(), justified.sort());
});

test("every text is said somewhere", () => {
  const literals = new Set([...speaking.flatMap(([, source]) => literalsOf(source)), ...pages.flatMap((page) => [...page.matchAll(/data-text="([^"]+)"/g)].map(([, key]) => key))]);
  const unsaid = Object.keys(english).filter((key) => !literals.has(key) && !literals.has(`${key.split(".")[0]}.`));

  assert.deepEqual(unsaid, []);
});

// Two words, a sentence's end, or one word that begins like a name: nothing that a module says to a machine looks like it, but these.
const WORDS = /\p{L}{2,}[\s,:;’'“”…–]+\p{L}|\p{L}…|^\s*[“"]?\p{Lu}\p{Ll}/u;
const TO_MACHINES = new Set(["Enter", "Escape", "Idempotency-Key", "Content-Type", "Retry-After", "Bearer ", "AbortError", "TimeoutError",
  "(prefers-reduced-motion: reduce)", "Mailbox", "Icon.16", "NestedAppAuth"]);

test("no words for the user stand anywhere but in the texts", () => {
  assert.ok(speaking.length > 25 && literalsOf('say(`a ${x ? "The end" : y / 2} b`); // "no"').includes("The end"));
  for (const [name, source] of speaking) {
    assert.deepEqual(literalsOf(source).filter((one) => WORDS.test(one) && !TO_MACHINES.has(one)), [], name);
    assert.deepEqual(source.match(/(?:\b(?:text|title|placeholder)|"aria-label"): ["`]\p{L}.*|(?:setText\([^,]+, |textContent = )["`]\p{L}.*/gu), null, name);
  }
});

test("what a page shows from the start is a text, and is what English says", () => {
  const known = pages.flatMap((page) => [...page.matchAll(/data-text="([^"]+)"[^>]*>([^<]*)</g)]);
  assert.ok(known.length >= 5);
  for (const [, key, shown] of known) assert.equal(shown, english[/** @type {keyof typeof english} */ (key)]);

  const others = pages.flatMap((page) => [...page.replaceAll(/<(title|noscript)>.*?<\/\1>|\{%.*?%\}|\{\{.*?\}\}/gs, "").matchAll(/<([^>]*)>([^<]*\p{L}[^<]*)</gu)]);
  assert.deepEqual(others.filter(([, tag]) => !tag.includes("data-text")).map(([, , words]) => words), ["Well Intake"]);
});

test("the language is the one that Office says, and English where we do not speak it", () => {
  for (const [tag, expected] of [["es-ES", "es"], ["es-MX", "es"], ["ES", "es"], ["en-US", "en"], ["de-DE", "en"], ["", "en"], [undefined, "en"], ["constructor", "en"], ["es-!", "en"]]) {
    speak(tag);
    assert.equal(spoken(), expected, tag);
  }
});

test("numbers, days and plurals are those of the language", () => {
  const at = new Date("2026-05-03T09:12:00");
  /** @type {Record<string, string[]>} */
  const said = {};
  for (const tag of ["en-US", "es-ES"]) {
    speak(tag);
    said[tag] = [decimal(1.5, 2), dateOf(at), text("status.saved", { count: 1 }), text("status.saved", { count: 4 })];
  }

  assert.deepEqual(said, {
    "en-US": ["1.50", "May 3", "Saved. One record is in the CRM.", "Saved. 4 records are in the CRM."],
    "es-ES": ["1,50", "3 de mayo", "Guardado. Hay un registro en el CRM.", "Guardado. Hay 4 registros en el CRM."],
  });
});

test("the server’s sentences are said in the language of the page, with what they name; unknown ones stay as they are", () => {
  const both = "The language model took too long. The fields are from the rules alone.";
  assert.equal(heard(both), both);

  speak("es");

  assert.equal(heard(both), "El modelo de lenguaje tardó demasiado. Los campos proceden solo de las reglas.");
  assert.equal(heard("cv (1).pdf could not be read."), "cv (1).pdf no se pudo leer.");
  assert.equal(heard("A sentence of tomorrow. Please wait."), "A sentence of tomorrow. Espere, por favor.");
  assert.equal(heard(""), "");
});

const server = ["extraction", "streaming", "wellintake", "zoho"].flatMap((app) =>
  readdirSync(new URL(app, ROOT), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".py") && !name.includes("tests/")).map((name) => read(`${app}/${name}`))).join("\n");

test("every sentence that is translated is one that the server says", () => {
  const unknown = Object.keys(told).filter((said) => !said.split(/\{\w+\}/).every((part) => server.includes(part.trim() === "." ? "." : part.trim())));

  assert.deepEqual(unknown, []);
});

test("every failure that the server may tell a recruiter is translated", () => {
  const failures = ["extraction/errors.py", "zoho/errors.py"].flatMap((file) => [...read(file).matchAll(/^ {4}message = "(.+)"/gm)].map(([, said]) => said));
  const faults = [...read("extraction/attachments.py").matchAll(/\("attachment_\w+", "(.+?)"\)/g)].map(([, said]) => `cv.pdf ${said}`);
  const reasons = [...(/REASONS = \{(.*?)\n\}/s.exec(read("extraction/patterns/intent.py"))?.[1] ?? "").matchAll(/": "(.+?)"/g)].map(([, said]) => said);
  assert.ok(failures.length > 15 && faults.length > 6 && reasons.length > 2);

  speak("es");

  for (const said of [...failures, ...faults, ...reasons])
    for (const sentence of said.split(/(?<=[.!?])\s+/)) assert.notEqual(heard(sentence), sentence);
});
