"""The debate model: pure code without I/O, HTTP or Textual."""
