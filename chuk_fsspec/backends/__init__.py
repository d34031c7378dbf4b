"""Where bytes live. Each backend is a leaf: none imports another."""
