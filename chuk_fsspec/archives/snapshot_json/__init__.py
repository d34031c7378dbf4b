"""The JSON files in which chuk-virtual-fs 0.5.3 keeps a snapshot: contents in base64, and nothing but contents."""
