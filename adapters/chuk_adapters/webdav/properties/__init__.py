"""Live and dead properties (RFC 4918, sections 4 and 15)."""
