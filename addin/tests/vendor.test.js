import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

const read = (/** @type {string} */ path) => readFileSync(new URL(path, import.meta.url), "utf8");

test("the client for Azure SignalR that pages load is the package's own", () => {
  const packaged = read("../node_modules/@microsoft/signalr/dist/browser/signalr.min.js");
  assert.equal(read("../src/vendor/signalr.js").trim(), packaged.replace(/^\/\/# sourceMappingURL.*$/m, "").trim());
});
