// What the CRM takes in fields with a choice: its own values, which are data and stay as they are in every language.

export const SOURCES = ["Email Inbound", "Referral", "Website Inbound", "LinkedIn Inbound", "Conference/Trade Show", "Reverse Recruiting",
  "Networking", "Warm Market", "Cold Email", "Cold Calling", "Digital Ad", "LinkedIn Outbound", "Other"];

export const STAGES = ["Lead", "Engaged", "Meeting Booked", "Meetings Completed", "Awaiting Contract Signature", "Awaiting Deposit Payment",
  "Intake Meeting Needed", "Intake Meeting Scheduled", "Closed Won", "Closed Lost", "Deferred", "Past Client"];

export const CREDITS = ["BD Rep", "Affiliate", "Both"];
