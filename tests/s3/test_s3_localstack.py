"""chuks3 on LocalStack, whose S3 is compared with Amazon's, reply by reply, by those who make it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import ClassVar

import pytest

from chuk_fsspec.backends.s3 import S3FileSystem
from chuk_fsspec.testing import BehaviourSuite
from chuk_fsspec.testing.fsspec_abstract import FsspecAbstractSuite
from tests.contract.suite_groups import by_day
from tests.remote import flat_keys
from tests.remote.versions import Versions
from tests.s3.s3_servers import (
    filesystem,
    needs_localstack,
    new_bucket,
    new_versioned_bucket,
    served_by_localstack,
)
from tests.s3.test_s3_behaviour import DEVIATIONS, POSIX_DEVIATIONS

pytestmark = needs_localstack


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served_by_localstack() as url:
        yield url


@pytest.fixture(scope="module")
def service(url: str) -> S3FileSystem:
    return filesystem(url)


@pytest.fixture(scope="module")
def one_bucket(url: str, service: S3FileSystem) -> S3FileSystem:
    return filesystem(url, new_bucket(service))


@by_day("ConditionalWrites", "Copying")
class TestBucket(BehaviourSuite):
    deviations: ClassVar = DEVIATIONS

    @pytest.fixture
    def fs(self, one_bucket: S3FileSystem) -> S3FileSystem:
        return one_bucket


@pytest.mark.slow
class TestObstore(BehaviourSuite):
    deviations: ClassVar = DEVIATIONS

    @pytest.fixture
    def fs(self, url: str, one_bucket: S3FileSystem) -> S3FileSystem:
        return filesystem(url, one_bucket.bucket_name, engine="obstore")


@pytest.mark.slow
class TestPosix(BehaviourSuite):
    deviations: ClassVar = POSIX_DEVIATIONS

    @pytest.fixture(scope="class")
    def fs(self, url: str, service: S3FileSystem) -> S3FileSystem:
        return filesystem(url, new_bucket(service), posix=True)


@pytest.mark.slow
class TestAllBuckets(BehaviourSuite):
    deviations: ClassVar = DEVIATIONS

    @pytest.fixture
    def fs(self, service: S3FileSystem) -> S3FileSystem:
        return service

    @pytest.fixture
    def root(self, fs: S3FileSystem, one_bucket: S3FileSystem) -> str:
        root = f"/{one_bucket.bucket_name}/{uuid.uuid4().hex}"
        fs.mkdir(root)
        return root


@pytest.mark.slow
class TestAsFsspecHasIt(FsspecAbstractSuite):
    @pytest.fixture(scope="class")
    def fs(self, one_bucket: S3FileSystem) -> S3FileSystem:
        return one_bucket

    @pytest.fixture(autouse=True)
    def _deviating(self, request: pytest.FixtureRequest) -> None:
        reason = flat_keys.ABSTRACT_DEVIATIONS.get(request.node.name)
        if reason is not None:
            request.applymarker(pytest.mark.xfail(reason=reason, strict=True))


class TestVersions(Versions):
    @pytest.fixture(params=["s3fs", pytest.param("obstore", marks=pytest.mark.slow)])
    def versioned(self, url: str, service: S3FileSystem, request: pytest.FixtureRequest) -> S3FileSystem:
        return filesystem(url, new_versioned_bucket(service), engine=request.param)
