"""Hosted debates: HTTP server with event streams, WebSockets, JSON and a web page."""
