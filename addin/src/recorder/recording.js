// A run's log as something to play back. Pure; what is true at a moment, `story.js` says here as everywhere.

import { EMPTY, tell } from "../story.js";

/**
 * @typedef {import("../story.js").Envelope} Envelope
 * @typedef {import("../story.js").Story} Story
 * @typedef {{step: string, action: string, id: string | null, url: string | null, message: string, person: number, number: number, attempt: number, ms: number | null}} Call
 *   one record at the CRM: `ms` since the event before it, null when nobody knows when it began; `number` counts the saves
 *   of the run, `attempt` how often one of them was begun
 * @typedef {{at: number, until: number | null, reader: string, transport: string, after: number, again: boolean}} Reading  until null: to the moment
 */

/** A review may have waited for days: a silence takes this long at most when it is played. */
const LONGEST_SILENCE_MS = 2000;

export class Recording {
  /** @type {Envelope[]} */
  envelopes = [];
  /** The story before the first event, and after each: `stories[n]` is what `n` events have told. @type {Story[]} */
  stories;
  /** When that is so, in ms of playing. */
  places = [0];

  /** @param {string} runId @param {number} acceptedAt epoch seconds @param {number} [before]  the sequence in front of the log's first event */
  constructor(runId, acceptedAt, before = 0) {
    this.acceptedAt = acceptedAt;
    this.before = before;
    this.stories = [{ ...EMPTY, runId, state: "queued", sequence: before }];
  }

  /** Number of events. */
  get end() {
    return this.envelopes.length;
  }

  /** Ms of playing. */
  get length() {
    return this.places[this.end];
  }

  /** What comes next in the log; what is here already is passed over. @param {readonly Envelope[]} envelopes */
  add(envelopes) {
    for (const envelope of envelopes) {
      const story = tell(this.stories[this.end], envelope);
      if (story.gap || story === this.stories[this.end]) continue;
      const silence = Math.max(0, (envelope.timestamp - (this.envelopes.at(-1)?.timestamp ?? this.acceptedAt)) * 1000);
      this.places.push(this.length + Math.min(silence, LONGEST_SILENCE_MS));
      this.stories.push(story);
      this.envelopes.push(envelope);
    }
  }

  /** How many events are told by then. @param {number} position ms of playing */
  countAt(position) {
    let [low, high] = [0, this.end];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.places[middle] <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** How many events are told up to a place in the log. @param {number} sequence */
  countOf(sequence) {
    return Math.min(Math.max(0, sequence - this.before), this.end);
  }

  /** The next moment in a direction; `wide` passes over the model's text. @param {number} count @param {1 | -1} by @param {boolean} wide */
  step(count, by, wide) {
    let to = count + by;
    while (wide && to > 0 && to < this.end && this.envelopes[to - 1].type === "extraction_token") to += by;
    return Math.min(Math.max(0, to), this.end);
  }

  /** Ms from acceptance to the last of `count` events. @param {number} count */
  msAt(count) {
    return count ? Math.max(0, (this.envelopes[count - 1].timestamp - this.acceptedAt) * 1000) : 0;
  }
}

/**
 * Every record that the CRM was asked to write or to take back, and every failure on the way.
 * @param {readonly Envelope[]} envelopes @returns {Call[]}
 */
export function callsOf(envelopes) {
  /** @type {Call[]} */
  const calls = [];
  let [open, number, attempt] = [false, 0, 1];
  /** @type {number | null} */
  let began = null;
  for (const { type, data, timestamp } of envelopes) {
    const one = { person: 0, id: null, url: null, number, attempt, ms: began === null ? null : Math.max(0, (timestamp - began) * 1000) };
    if (type === "zoho_start" || type === "undo_start") {
      [open, attempt] = [true, 1];
      if (type === "zoho_start") number++;
    } else if (type === "zoho_progress" || type === "undo_progress") calls.push({ ...one, ...data, action: data.action ?? data.outcome });
    else if (type === "error" && open) {
      calls.push({ ...one, step: "failed", action: data.code, message: data.message });
      attempt++;
      began = null;
      continue;
    } else if (type === "zoho_complete" || type === "undo_complete") open = false;
    began = open ? timestamp : null;
  }
  return calls;
}

/**
 * Who read the run until a moment: each beginning with its end, and whether the same reader had read before.
 * @param {readonly {at: number, reader: string, transport: string, connection: string, after: number | null}[]} told @param {number} until epoch seconds
 * @returns {Reading[]}
 */
export function readingsOf(told, until) {
  /** @type {Reading[]} */
  const readings = [];
  /** @type {Map<string, Reading>} */
  const open = new Map();
  for (const { at, reader, transport, connection, after } of told.filter((one) => one.at <= until)) {
    if (after === null) {
      const ended = open.get(connection);
      if (ended) ended.until = at;
      open.delete(connection);
      continue;
    }
    /** @type {Reading} */
    const reading = { at, until: null, reader, transport, after, again: readings.some((one) => one.reader === reader) };
    open.set(connection, reading);
    readings.push(reading);
  }
  return readings;
}
