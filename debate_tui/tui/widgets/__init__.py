"""The widgets of the full-screen user interface."""
