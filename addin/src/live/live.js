// The admin's live page: one snapshot a second over a WebSocket, or by server-sent events where sockets are cut off.

import { element, setText } from "../view/element.js";
import { chart } from "./charts.js";
import { TILES, KINDS, lasting, milliseconds } from "./words.js";

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const { history, may_end } = JSON.parse(byId("facts").textContent ?? "{}");
const charts = [
  chart(byId("charts"), "Connections", history, [["open", "connections"]]),
  chart(byId("charts"), "Events a second", history, [["events", "events_per_second"]]),
  chart(byId("charts"), "Milliseconds, p95", history, [["first field", "first_field_p95"], ["all fields", "total_p95"]]),
  chart(byId("charts"), "Runs that wait for a worker", history, [["waiting", "waiting"]]),
];

const SOCKET_TRIES = 2;
const QUIET_MS = 5000;
const AGAIN_MS = 1500;
let refused = 0;
let at = 0;

/** @param {string} state @param {string} text */
function say(state, text) {
  byId("state").dataset.state = state;
  setText(byId("state"), text);
}

/** @param {any} now */
function show(now) {
  at = Date.now();
  say(now.problems.length ? "bad" : "well", now.problems.length ? "Something is not well" : "Everything works");
  byId("problems").hidden = !now.problems.length;
  byId("problems").replaceChildren(...now.problems.map((/** @type {string} */ text) => element("li", { text })));
  byId("tiles").replaceChildren(...TILES.map(([name, value, more]) => element("div", {},
    element("dt", { text: name }), element("dd", { "data-testid": `tile-${name.replaceAll(" ", "-")}` }, value(now), element("small", { text: more?.(now) ?? "" })))));
  byId("performance").replaceChildren(...Object.entries(KINDS).map(([kind, name]) => performanceRow(name, now.performance[kind])));
  byId("processes").replaceChildren(...now.processes.map((/** @type {any} */ one) => element("tr", { "data-alive": String(one.alive) },
    element("th", { scope: "row", text: one.name }), ...cells(one.alive ? one.work : "no sign of life", lasting(now.at - one.since), one.connections, one.events_per_second))));
  byId("connections").replaceChildren(...now.open.map((/** @type {any} */ one) => connectionRow(one, now.at)));
  charts.forEach((draw) => draw(now));
}

/** @param {string} name @param {any} figures */
const performanceRow = (name, { p50, p95, p99, target, met, count }) => element("tr", {},
  element("th", { scope: "row", text: name }), ...cells(milliseconds(p50)), element("td", { "data-met": met === null ? null : String(met), text: milliseconds(p95) }),
  ...cells(milliseconds(p99), target, count));

/** @param {any} one @param {number} now */
function connectionRow(one, now) {
  const end = one.can_end && may_end ? element("button", { type: "button", text: "End", "aria-label": `End the connection of ${one.user}`, onclick: () => endConnection(one.id) }) : "";
  return element("tr", {}, element("th", { scope: "row", text: one.user }),
    ...cells(one.transport, lasting(now - one.connected_at), one.runs.length, `${Math.ceil(one.outstanding / 1024)} KB`), element("td", {}, end));
}

/** @param {...(string | number)} values */
const cells = (...values) => values.map((value) => element("td", { text: String(value) }));

/** @param {string} connection */
async function endConnection(connection) {
  const form = /** @type {HTMLFormElement} */ (byId("csrf"));
  const body = new FormData(form);
  body.set("connection", connection);
  await fetch("end", { method: "POST", body });
}

function overSocket() {
  const socket = new WebSocket(new URL("socket", location.href.replace(/^http/, "ws")));
  let opened = false;
  socket.onmessage = ({ data }) => {
    opened = true;
    refused = 0;
    show(JSON.parse(data));
  };
  socket.onclose = ({ code }) => {
    if (code === 4403) return say("cut", "You are signed out. Reload the page.");
    refused += opened ? 0 : 1;
    setTimeout(refused >= SOCKET_TRIES ? overEvents : overSocket, AGAIN_MS);
  };
}

function overEvents() {
  const source = new EventSource("events");  // reconnects by itself
  source.onmessage = ({ data }) => show(JSON.parse(data));
}

setInterval(() => {
  if (at && Date.now() - at > QUIET_MS) say("cut", `No news for ${Math.round((Date.now() - at) / 1000)} s. The figures below are old.`);
}, 1000);
overSocket();
