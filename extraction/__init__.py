"""The core: what an e-mail says, by which rules, and how sure we are. Knows no Django and no socket."""
