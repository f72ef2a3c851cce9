"""The session: runs one debate, logs it and takes commands; it knows no screen."""
