"""What looks like a provider's key, wherever it turns up."""

from __future__ import annotations

import re

# Prefixes that providers give their keys; `*` and `…` are in those that an error message quotes.
API_KEY_PATTERN = re.compile(
    r"\b(?:(?:sk|pk|rk|gsk|csk|xai|nvapi|pplx|tgp)[-_]|hf_|fw_)[\w\-.*…]{5,}[\w\-*…]|\bAIza[\w-]{8,}"
)
