"""Sources of debaters' words, one module per kind, imported by name when needed."""
