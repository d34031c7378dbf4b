"""The whole surface of a filesystem on one method: what wrappers and mounts are made of."""
