"""What to show and when, independent of Textual."""
