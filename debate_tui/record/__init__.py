"""Storage and playback of the debate log."""
