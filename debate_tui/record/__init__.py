"""Where the debate log is kept."""
