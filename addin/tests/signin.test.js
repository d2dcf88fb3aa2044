import assert from "node:assert/strict";
import { test } from "node:test";

import { Server } from "../src/server.js";
import { SignIn, SignInError } from "../src/signin.js";

const TENANT = { authority: "https://login.example/t", clientId: "c", scope: "c/access_as_user" };
const never = () => new Promise(() => {});

/** MSAL in an Outlook, each of its calls a token, a refusal or a function. @param {Record<string, any>} calls @param {{signsIn?: boolean, patience?: number}} [options] */
function world(calls, { signsIn = true, patience = 1000 } = {}) {
  /** @type {any[]} */
  const asked = [];
  const answer = (/** @type {string} */ name) => async (/** @type {any} */ request) => {
    asked.push([name, request.scopes?.join(), request.loginHint]);
    const said = calls[name];
    if (typeof said === "function") return said();
    if (!said) throw new Error("interaction_required");
    return { accessToken: said };
  };
  const client = Object.fromEntries(["acquireTokenSilent", "ssoSilent", "acquireTokenPopup"].map((name) => [name, answer(name)]));
  const load = async () => ({
    createNestablePublicClientApplication: async (/** @type {any} */ configuration) => {
      asked.push(["load", configuration.auth.authority, configuration.cache.cacheLocation]);
      return /** @type {any} */ (client);
    },
  });
  const outlook = /** @type {any} */ ({ signsIn, user: { email: "dana@well.example" } });
  return { asked, signIn: new SignIn(TENANT, outlook, { load, patience }), names: () => asked.map(([name]) => name) };
}

test("whoever is signed in to Office has a token without being asked, which is kept in memory only", async () => {
  const { asked, signIn } = world({ acquireTokenSilent: "t" });

  assert.deepEqual([await signIn.quietly(), await signIn.quietly()], ["t", "t"]);
  assert.deepEqual(asked, [
    ["load", TENANT.authority, "memoryStorage"],
    ["acquireTokenSilent", TENANT.scope, "dana@well.example"], ["acquireTokenSilent", TENANT.scope, "dana@well.example"],
  ]);
});

test("where nothing is in the cache, Office’s session is asked", async () => {
  assert.equal(await world({ ssoSilent: "t" }).signIn.quietly(), "t");
});

test("nobody is shown a window unasked; on a press there is one", async () => {
  const { names, signIn } = world({ acquireTokenPopup: "t" });

  assert.equal(await signIn.quietly(), null);
  assert.deepEqual(names(), ["load", "acquireTokenSilent", "ssoSilent"]);
  assert.equal(await signIn.openly(), "t");
});

test("a window that is closed is said in a sentence", async () => {
  await assert.rejects(world({}).signIn.openly(), (error) => error instanceof SignInError && /use a key/.test(error.message));
});

test("an Outlook that lends no session is not asked for one, and Microsoft’s script is not loaded", async () => {
  const { asked, signIn } = world({ acquireTokenSilent: "t" }, { signsIn: false });

  assert.equal(await signIn.quietly(), null);
  assert.deepEqual(asked, []);
});

test("an Outlook that never answers is not waited for", async () => {
  assert.equal(await world({ acquireTokenSilent: never }, { patience: 20 }).signIn.quietly(), null);
});

test("a script that did not come is asked for again", async () => {
  let tries = 0;
  const outlook = /** @type {any} */ ({ signsIn: true, user: { email: "" } });
  const load = async () => {
    if (!tries++) throw new TypeError("Failed to fetch");
    return { createNestablePublicClientApplication: async () => /** @type {any} */ ({ acquireTokenSilent: async () => ({ accessToken: "t" }) }) };
  };
  const signIn = new SignIn(TENANT, outlook, { load });

  assert.deepEqual([await signIn.quietly(), await signIn.quietly()], [null, "t"]);
});

for (const [what, renewed, expected] of /** @type {[string, string | null, string[]][]} */ ([
  ["another one", "fresh", ["Bearer stale", "Bearer fresh"]],
  ["the same one again", "stale", ["Bearer stale"]],
  ["none", null, ["Bearer stale"]],
]))
  test(`a token that has run out is renewed once: Office gives ${what}`, async () => {
    /** @type {string[]} */
    const shown = [];
    const answer = async (/** @type {string} */ _, /** @type {any} */ { headers }) => {
      shown.push(headers.Authorization);
      return headers.Authorization === "Bearer fresh" ? Response.json({ state: "review" }) : Response.json({ detail: "No." }, { status: 401 });
    };
    const server = new Server({ bearer: "stale", fetch: /** @type {any} */ (answer) });
    server.renew = async () => renewed;

    const outcome = await server.snapshot("r").then(({ state }) => state, ({ status }) => status);

    assert.deepEqual([outcome, shown], [renewed === "fresh" ? "review" : 401, expected]);
  });
