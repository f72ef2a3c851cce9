"""Where a debater's words come from; one module per way words arrive, imported by name when needed."""
