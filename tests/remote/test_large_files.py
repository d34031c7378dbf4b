"""Two GiB streamed to a service and back: whole, and in little memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import python, started
from tests.remote.pattern_serving import piece

ROOT = Path(__file__).parents[2]
GIB = 1 << 30

SEND_AND_FETCH = """
    import io, json, sys

    import fsspec

    from tests.remote.pattern_serving import piece
    from tests.streaming.stream_memory import peak

    class Compared(io.RawIOBase):
        place = 0

        def write(self, data):
            for start in range(0, len(data), 1 << 20):
                part = data[start : start + (1 << 20)]
                assert part == piece(self.place, self.place + len(part)), self.place
                self.place += len(part)

    options, size = json.loads(sys.argv[1]), int(sys.argv[2])
    fs = fsspec.filesystem(**options)
    fs.pipe_file("/small", b"x")
    if "engine" in options:
        fs.sign("/small")  # makes the client for large files
    before = peak()
    with fs.open("/large", "wb") as file:
        for start in range(0, size, 1 << 20):
            file.write(piece(start, start + (1 << 20)))
    sent = peak()
    compared = Compared()
    fs.get_file(f"/pattern/{size}", None, outfile=compared)
    assert compared.place == size
    print(sent - before, peak() - before)
    fs.close()
"""

S3 = '"protocol": "chuks3", "key": "AKIATEST", "secret": "x", "region": "us-east-1", "bucket_name": "b"'
OPTIONS = {
    "chuks3": S3,
    "chuks3, obstore": f'{S3}, "engine": "obstore"',
    "chukgcs": '"protocol": "chukgcs", "token": "anon", "project": "p", "bucket_name": "b"',
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with started([sys.executable, "-m", "tests.remote.pattern_serving"], cwd=ROOT) as (_, url):
        yield url


def test_the_pattern_is_the_same_in_any_pieces() -> None:
    size = (5 << 20) + 17
    whole = piece(0, size)
    assert len(whole) == size
    for start, stop in ((0, 1), (1 << 20, (1 << 20) + 5), ((1 << 20) - 3, 3 << 20), (size - 1, size)):
        assert piece(start, stop) == whole[start:stop]


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("target", OPTIONS)
def test_two_gib_there_and_back_in_100_mb(url: str, target: str) -> None:
    options = f'{{{OPTIONS[target]}, "endpoint_url": "{url}"}}'
    command = python(SEND_AND_FETCH, options, 2 * GIB)
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    sending, both = map(float, done.stdout.split())
    assert sending <= both <= 100e6 / (1 << 20), done.stdout
