"""CRM adapters: the embedded one with its own tables, and Zoho."""
