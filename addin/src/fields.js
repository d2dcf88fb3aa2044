// Which fields a person has, in the order in which a reader wants to see them, and how they are called.

/**
 * @typedef {{record: string, field: string, label: string, kind?: "list" | "long" | "wide" | "date" | "fixed", choices?: string[]}} FieldPlan
 * @typedef {{title: string, fields: FieldPlan[], more?: {title: string, fields: FieldPlan[]}}} Card
 */

const SOURCES = ["Email Inbound", "Referral", "Website Inbound", "LinkedIn Inbound", "Conference/Trade Show", "Reverse Recruiting",
  "Networking", "Warm Market", "Cold Email", "Cold Calling", "Digital Ad", "LinkedIn Outbound", "Other"];
const STAGES = ["Lead", "Engaged", "Meeting Booked", "Meetings Completed", "Awaiting Contract Signature", "Awaiting Deposit Payment",
  "Intake Meeting Needed", "Intake Meeting Scheduled", "Closed Won", "Closed Lost", "Deferred", "Past Client"];

/** @param {string} record @returns {(field: string, label: string, how?: Partial<FieldPlan>) => FieldPlan} */
const of = (record) => (field, label, how = {}) => ({ record, field, label, ...how });
const contact = of("contact");
const company = of("company");
const deal = of("deal");

/** @type {readonly Card[]} */
export const CARDS = [
  {
    title: "Contact",
    fields: [
      contact("first_name", "First name"), contact("last_name", "Last name"), contact("email", "Email"), contact("phone", "Phone"),
      contact("title", "Title"), contact("mobile", "Mobile"), contact("city", "City"), contact("state", "State"),
      contact("country", "Country"), contact("linkedin_url", "LinkedIn"),
    ],
  },
  {
    title: "Company",
    fields: [
      company("company_name", "Company"), company("website", "Website"), company("phone", "Phone"), company("industry", "Industry"),
      company("city", "City"), company("state", "State"), company("country", "Country"),
      company("who_gets_credit", "Credit", { choices: ["BD Rep", "Affiliate", "Both"] }),
    ],
    more: {
      title: "Source and credit",
      fields: [
        company("source", "Source", { choices: SOURCES }), company("source_detail", "Source detail"),
        company("credit_person", "Credit to"),
      ],
    },
  },
  {
    title: "Deal",
    fields: [
      deal("deal_name", "Deal name", { kind: "wide" }), deal("job_title", "Job title"), deal("location", "Location"),
      deal("source", "Source", { choices: SOURCES }), deal("source_detail", "Source detail"),
      deal("referrer_name", "Referred by"), deal("referrer_email", "Referrer’s email"),
      deal("closing_date", "Closing date", { kind: "date" }), deal("meeting_link", "Meeting link"),
      deal("description_of_reqs", "Requirements", { kind: "long" }),
    ],
    more: {
      title: "Stage and target",
      fields: [
        deal("target_title", "Target title"), deal("stage", "Stage", { choices: STAGES }),
        deal("pipeline", "Pipeline", { kind: "fixed" }),
      ],
    },
  },
  {
    title: "Metrics",
    fields: [
      deal("aum", "Assets managed"), deal("production", "Production"), deal("client_count", "Clients"),
      deal("years_experience", "Years of experience"), deal("licenses", "Licenses", { kind: "list" }),
      deal("designations", "Designations", { kind: "list" }), deal("compensation", "Compensation"),
      deal("book_transferable", "Book transferable"), deal("availability", "Availability", { kind: "wide" }),
      deal("specializations", "Specializations", { kind: "wide" }),
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

/** A label for a field that this page does not know yet: `fax_number` → `Fax number`. @param {string} field */
export const labelOf = (field) => (field[0].toUpperCase() + field.slice(1)).replaceAll("_", " ");
