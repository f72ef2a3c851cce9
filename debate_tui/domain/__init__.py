"""The debate itself: no input or output, no third-party user interface or HTTP."""
