"""Recovery of interrupted streams; wraps any source and knows no provider."""
