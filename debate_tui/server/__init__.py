"""One debate, many viewers: hosted over HTTP as server-sent events, WebSockets, JSON, and a page."""
