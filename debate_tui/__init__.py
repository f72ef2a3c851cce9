"""Two to four language models argue a topic, live, side by side, in a terminal."""

__version__ = "0.1.0"
