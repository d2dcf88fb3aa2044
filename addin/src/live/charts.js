// The charts of the live page: the last hour, a point every ten seconds, growing while the page is open.

import { element } from "../view/element.js";
import uPlot from "../vendor/uplot.js";

const POINTS = 360;
const EVERY_SECONDS = 10;
const HEIGHT = 150;

/** @typedef {Record<string, any>} Point */

/**
 * @param {HTMLElement} into @param {string} title @param {Point[]} history @param {[string, string][]} lines  label, name in a point
 * @returns {(snapshot: any) => void} draws what is new
 */
export function chart(into, title, history, lines) {
  const points = history.slice(-POINTS);
  const box = element("div", { class: "chart" }, element("h2", { text: title }));
  into.append(box);
  const style = getComputedStyle(box);
  const ink = style.getPropertyValue("--body-quiet-color");
  const axis = { stroke: ink, grid: { stroke: style.getPropertyValue("--hairline-color"), width: 1 }, ticks: { show: false }, font: "11px system-ui" };
  const plot = new uPlot({
    width: box.clientWidth, height: HEIGHT, cursor: { y: false }, legend: { show: lines.length > 1, live: false },
    axes: [{ ...axis, values: clock }, { ...axis, size: 44 }], scales: { y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] } },
    series: [{}, ...lines.map(([label], place) => ({ label, stroke: style.getPropertyValue(`--line-${place + 1}`), width: 2, spanGaps: false }))],
  }, data(points, lines), box);
  new ResizeObserver(() => plot.setSize({ width: box.clientWidth, height: HEIGHT })).observe(box);
  return (snapshot) => {
    const slot = Math.floor(snapshot.at / EVERY_SECONDS) * EVERY_SECONDS;
    if (points.at(-1)?.at === slot) points.pop();
    points.push({ at: slot, ...pointOf(snapshot) });
    if (points.length > POINTS) points.shift();
    plot.setData(data(points, lines));
  };
}

/** @param {uPlot} plot @param {number[]} ticks  epoch seconds */
const clock = (plot, ticks) => ticks.map((at) => new Date(at * 1000).toTimeString().slice(0, (plot.scales.x.max ?? 0) - (plot.scales.x.min ?? 0) < 300 ? 8 : 5));

/** @param {Point[]} points @param {[string, string][]} lines @returns {any} */
const data = (points, lines) => [points.map(({ at }) => at), ...lines.map(([, name]) => points.map((point) => point[name] ?? null))];

/** As the server keeps it (`_point` in wellintake/overview.py). @param {any} now */
const pointOf = (now) => ({
  connections: now.connections.total, events_per_second: now.events_per_second, first_field_p95: now.performance.first_field_ms.p95,
  total_p95: now.performance.total_ms.p95, waiting: now.queue?.depth ?? null,
});
