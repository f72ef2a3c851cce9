"""What may be shown, and when; no Textual."""
