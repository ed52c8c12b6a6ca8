"""The node over HTTP: the application, the carrier of the exchange, the server."""
