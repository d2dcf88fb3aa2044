"""Who calls, and what proves it: keys, tokens, tickets, origins. One verifier for HTTP, sockets and pages."""
