"""Write locks (RFC 4918, sections 6 and 7)."""
