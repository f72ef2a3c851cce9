"""The screens, one module per screen or part of one."""
