"""``chuk-fsspec s3`` and ``chuk-fsspec gcs``: buckets, and the objects in them by their keys."""
