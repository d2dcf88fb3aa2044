// Reads our modules as text: what each imports, and the words that stand in it.

import { readFileSync } from "node:fs";

/** Every module that a page needs from the start: those it names, and theirs. What is imported later is not among them.
 * @param {...string} names  in src/ @returns {Map<string, string>} source by name in src/ */
export function modulesOf(...names) {
  /** @type {Map<string, string>} */
  const found = new Map();
  const take = (/** @type {string} */ name) => {
    if (found.has(name)) return;
    const source = readFileSync(new URL(`../src/${name}`, import.meta.url), "utf8");
    found.set(name, source);
    for (const [, path] of source.matchAll(/^import\s(?:[^"]*\sfrom\s)?"(\.[^"]+)";/gm)) take(new URL(path, `file:///${name}`).pathname.slice(1));
  };
  names.forEach(take);
  return found;
}

/** The strings of a module, and the fixed parts of its templates. Comments and regular expressions are passed over.
 * @param {string} source @returns {string[]} */
export function literalsOf(source) {
  /** @type {string[]} */
  const found = [];
  let at = 0;
  let before = "";

  /** Code, until a brace closes that was not opened here. */
  function code() {
    for (let open = 0; at < source.length; at++) {
      const [char, pair] = [source[at], source.slice(at, at + 2)];
      if (pair === "//") at = ends("\n");
      else if (pair === "/*") at = ends("*/") + 1;
      else if (char === '"' || char === "'") found.push(quoted(char));
      else if (char === "`") template();
      else if (char === "/" && "(,=:[!&|?{};>".includes(before)) pattern();
      else if (char === "{") open++;
      else if (char === "}" && --open < 0) return;
      if (char.trim() && pair !== "//" && pair !== "/*") before = char;
    }
  }

  const ends = (/** @type {string} */ mark) => (source.indexOf(mark, at) + 1 || source.length + 1) - 1;

  /** @param {string} mark */
  function quoted(mark) {
    const from = ++at;
    for (; source[at] !== mark; at++) if (source[at] === "\\") at++;
    return source.slice(from, at);
  }

  function template() {
    for (let from = ++at; ; at++) {
      const ended = source[at] === "`";
      const inserted = source.slice(at, at + 2) === "${";
      if (ended || inserted) found.push(source.slice(from, at));
      if (ended) return;
      if (source[at] === "\\") at++;
      if (!inserted) continue;
      at += 2;
      code();
      from = at + 1;
    }
  }

  function pattern() {
    for (let inClass = false; at++ < source.length && (inClass || source[at] !== "/"); ) {
      if (source[at] === "\\") at++;
      else if (source[at] === "[") inClass = true;
      else if (source[at] === "]") inClass = false;
    }
  }

  code();
  return found;
}
