import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

const read = (/** @type {string} */ path) => readFileSync(new URL(path, import.meta.url), "utf8");

for (const [what, vendored, packaged] of [
  ["client for Azure SignalR", "signalr.js", "@microsoft/signalr/dist/browser/signalr.min.js"],
  ["sign-in at Microsoft", "msal.js", "@azure/msal-browser/lib/msal-browser.min.js"],
])
  test(`the ${what} that pages load is the package's own`, () => {
    const whole = read(`../node_modules/${packaged}`);
    assert.equal(read(`../src/vendor/${vendored}`).trim(), whole.replace(/^\/\/# sourceMappingURL.*$/m, "").trim());
  });
