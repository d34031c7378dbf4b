"""The Linux FUSE protocol, spoken on /dev/fuse directly: no libfuse, nothing but the standard library.

``protocol`` has the numbers and layouts of <linux/fuse.h>; ``device`` mounts; ``table`` knows which nodes the kernel
knows; ``names``, ``attributes``, ``files`` and ``directories`` each answer one group of requests; ``session``
negotiates and reads requests; ``notices`` tells the kernel what changed behind its back; ``transport`` puts them
together.
"""
