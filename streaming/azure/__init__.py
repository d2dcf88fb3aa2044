"""Azure SignalR Service in serverless mode: it holds the clients' connections, and we push to it over REST.

It may lose, double and reorder what it is given: it wakes clients up, and the log stays the truth.
"""
