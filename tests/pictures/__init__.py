"""The pictures of the README; see `__main__`."""
