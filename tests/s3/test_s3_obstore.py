"""What the engine of obstore does in its own way: requests that block, and processes that fork."""

from __future__ import annotations

import subprocess
from pathlib import Path

from chuk_fsspec.backends.s3 import S3FileSystem
from tests.processes import python
from tests.s3.s3_servers import filesystem, options

ROOT = Path(__file__).parents[2]

FORK = """
    import os, sys

    from tests.s3.s3_servers import filesystem

    fs = filesystem(sys.argv[1], sys.argv[2], engine="obstore")
    fs.pipe_file("/f", b"parent")
    child = os.fork()
    if child == 0:
        fs.pipe_file("/g", fs.cat_file("/f") + b" and child")
        fs.close()
        os._exit(0)
    os.waitpid(child, 0)
    assert fs.cat_file("/g") == b"parent and child"
    fs.close()
"""


def test_small_files_one_at_a_time_and_together(s3_url: str, bucket: str) -> None:
    fs = filesystem(s3_url, bucket, engine="obstore")
    etag = fs.pipe_file("/a b/é.txt", b"content")
    assert fs.pipe_file("/a b/é.txt", b"other", if_match=etag) != etag
    assert fs.cat_file("/a b/é.txt", 1, -1) == b"the"
    fs.pipe({f"/many/{number}": b"%d" % number for number in range(20)})
    assert fs.cat([f"/many/{number}" for number in (3, 19)]) == {"/many/3": b"3", "/many/19": b"19"}
    fs.pipe_file("/empty", b"")
    assert fs.cat_file("/empty") == b""
    assert [fs.isdir("/many"), fs.isfile("/many/7"), fs.exists("/nothing")] == [True, True, False]
    fs.close()


def test_a_large_file_is_read_in_several_threads(s3_url: str, bucket: str) -> None:
    fs = S3FileSystem(bucket, engine="obstore", part_size=5 << 20, skip_instance_cache=True, **options(s3_url))
    data = bytes(range(256)) * (48 << 10)
    fs.pipe_file("/large", data)
    assert fs.cat_file("/large") == data
    assert fs.cat_file("/large", 1, -1) == data[1:-1]
    fs.close()


def test_a_child_process_goes_on_where_the_parent_was(s3_url: str, bucket: str) -> None:
    subprocess.run(python(FORK, s3_url, bucket), cwd=ROOT, check=True, timeout=60)
