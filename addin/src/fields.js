// Which fields a person has, in the order in which a reader wants to see them, and how they are called.

import { CREDITS, SOURCES, STAGES } from "./picklists.js";
import { text, textIfKnown } from "./texts.js";

/**
 * @typedef {{record: string, field: string, kind?: "list" | "long" | "wide" | "date" | "fixed", choices?: string[]}} FieldPlan
 * @typedef {import("./texts.js").Key} Key
 * @typedef {{heading: Key, fields: FieldPlan[], more?: {heading: Key, fields: FieldPlan[]}}} Card
 */

/** @param {string} record @returns {(field: string, how?: Partial<FieldPlan>) => FieldPlan} */
const of = (record) => (field, how = {}) => ({ record, field, ...how });
const contact = of("contact");
const company = of("company");
const deal = of("deal");

/** @type {readonly Card[]} */
export const CARDS = [
  {
    heading: "record.contact",
    fields: [
      contact("first_name"), contact("last_name"), contact("email"), contact("phone"),
      contact("title"), contact("mobile"), contact("city"), contact("state"),
      contact("country"), contact("linkedin_url"),
    ],
  },
  {
    heading: "record.company",
    fields: [
      company("company_name"), company("website"), company("phone"), company("industry"),
      company("city"), company("state"), company("country"),
      company("who_gets_credit", { choices: CREDITS }),
    ],
    more: {
      heading: "card.source",
      fields: [
        company("source", { choices: SOURCES }), company("source_detail"),
        company("credit_person"),
      ],
    },
  },
  {
    heading: "record.deal",
    fields: [
      deal("deal_name", { kind: "wide" }), deal("job_title"), deal("location"),
      deal("source", { choices: SOURCES }), deal("source_detail"),
      deal("referrer_name"), deal("referrer_email"),
      deal("closing_date", { kind: "date" }), deal("meeting_link"),
      deal("description_of_reqs", { kind: "long" }),
    ],
    more: {
      heading: "card.target",
      fields: [
        deal("target_title"), deal("stage", { choices: STAGES }),
        deal("pipeline", { kind: "fixed" }),
      ],
    },
  },
  {
    heading: "card.metrics",
    fields: [
      deal("aum"), deal("production"), deal("client_count"),
      deal("years_experience"), deal("licenses", { kind: "list" }),
      deal("designations", { kind: "list" }), deal("compensation"),
      deal("book_transferable"), deal("availability", { kind: "wide" }),
      deal("specializations", { kind: "wide" }),
    ],
  },
];

const LISTS = new Set(["licenses", "designations", "specializations"]);

/** @param {string} field */
export const isList = (field) => LISTS.has(field);

/** A value as people write it: lists by commas, North American numbers in groups. @param {string | string[] | null | undefined} value */
export function shown(value) {
  if (Array.isArray(value)) return value.join(", ");
  return (value ?? "").replace(/^\+1([2-9]\d\d)(\d{3})(\d{4})$/, "+1 $1-$2-$3");
}

/** @param {string} field @param {string} text @returns {string | string[] | null} */
export function contentFrom(field, text) {
  const trimmed = text.trim();
  if (!isList(field)) return trimmed || null;
  return trimmed ? trimmed.split(/[,;\n]/).map((item) => item.trim()).filter(Boolean) : null;
}

/** The name of a field or a record; of one that this page does not know yet: `fax_number` → `Fax number`. @param {string} field */
export const labelOf = (field) => textIfKnown(`field.${field}`) ?? textIfKnown(`record.${field}`) ?? (field[0].toUpperCase() + field.slice(1)).replaceAll("_", " ");

/** "Deal, job title". @param {string} record @param {string} field */
export const fullLabelOf = (record, field) => text("second.field", { record: labelOf(record), field: inSentence(labelOf(field)) });

/** A name inside a sentence; those with capitals of their own keep them. @param {string} label */
export const inSentence = (label) => (/^.[a-z\u00e0-\u00ff’ ]*$/.test(label) ? label.toLowerCase() : label);
