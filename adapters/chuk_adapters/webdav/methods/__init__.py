"""One module for each method, or for two that are one (RFC 4918, section 9)."""
