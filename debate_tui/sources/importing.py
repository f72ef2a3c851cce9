"""Heavy libraries are imported in threads, when a source needs them; never two at a time."""

from __future__ import annotations

import threading

lock = threading.Lock()
"""Held while importing: two threads that import packages which share dependencies can see each other's
half-made modules."""
