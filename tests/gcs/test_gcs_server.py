"""The server of these tests speaks to gcsfs as it comes."""

from __future__ import annotations

import asyncio
import os
import uuid
from typing import Any

import pytest
from gcsfs.core import GCSFileSystem as BareFileSystem

from tests.gcs.server.serving import GcsServer

DATA = os.urandom(700_000)


async def talk(fs: Any, bucket: str) -> None:
    await fs._mkdir(bucket)
    await fs._pipe_file(f"{bucket}/a/b c.txt", DATA)
    assert await fs._cat_file(f"{bucket}/a/b c.txt") == DATA
    assert await fs._cat_file(f"{bucket}/a/b c.txt", start=10, end=20) == DATA[10:20]
    info = await fs._info(f"{bucket}/a/b c.txt")
    assert (info["size"], info["type"]) == (len(DATA), "file")
    await fs._pipe_file(f"{bucket}/new", b"1", mode="create")
    with pytest.raises(FileExistsError):
        await fs._pipe_file(f"{bucket}/new", b"2", mode="create")
    assert await fs._cat_file(f"{bucket}/new") == b"1"
    await fs._cp_file(
        f"{bucket}/new",
        f"{bucket}/copied",
    )
    await fs._pipe_file(f"{bucket}/large", DATA * 10, chunksize=1 << 20)
    assert await fs._cat_file(f"{bucket}/large") == DATA * 10
    fs.invalidate_cache()
    assert await fs._find(bucket) == [f"{bucket}/{name}" for name in ("a/b c.txt", "copied", "large", "new")]
    await fs._rm([f"{bucket}/{name}" for name in ("a/b c.txt", "copied", "large", "new")])
    fs.invalidate_cache()
    assert await fs._find(bucket) == []
    await fs._rmdir(bucket)
    await fs.session.close()


def test_gcsfs_itself_uses_it(server: GcsServer) -> None:
    async def run() -> None:
        await talk(
            BareFileSystem(
                token="anon", project="p", endpoint_url=server.url, asynchronous=True, skip_instance_cache=True
            ),
            f"bare-{uuid.uuid4().hex}",
        )

    asyncio.run(run())
