"""What Amazon's service and those of others answer, and what chuks3 makes of it."""

from __future__ import annotations

import errno
from collections.abc import Callable
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from botocore import exceptions

from chuk_fsspec.backends.s3 import S3FileSystem
from chuk_fsspec.backends.s3.errors import judge
from chuk_fsspec.backends.s3.options import Access
from chuk_fsspec.backends.s3.session import moment
from tests.s3.odd_services import Asked, Told, answering, refusal
from tests.s3.s3_servers import filesystem, options

EMPTY_LISTING = b"<?xml version='1.0'?><ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
ENGINES = ("s3fs", "obstore")


def fresh(url: str, bucket: str = "bucket", **more: object) -> S3FileSystem:
    return S3FileSystem(bucket, skip_instance_cache=True, **options(url, **more))


@pytest.mark.parametrize("engine", ENGINES)
def test_an_old_token_is_no_missing_file_and_no_missing_bucket(engine: str) -> None:
    def answer(asked: Asked) -> Told:
        return Told(400) if asked.method == "HEAD" else refusal(400, "ExpiredToken")

    with answering(answer) as (url, _):
        fs, service = fresh(url, engine=engine), fresh(url, "", engine=engine)
        for look in (lambda: fs.info("/f"), lambda: service.info("/bucket"), lambda: fs.cat_file("/f")):
            with pytest.raises(PermissionError, match="expired"):
                look()
        fs.close()
        service.close()


def test_a_name_that_no_bucket_can_have_is_none() -> None:
    with answering(lambda asked: Told(400) if asked.method == "HEAD" else refusal(400, "InvalidBucketName")) as (
        url,
        _,
    ):
        service = fresh(url, "")
        assert not service.exists("/No_Bucket")
        service.close()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_bucket_of_another_region_says_so(engine: str) -> None:
    def answer(asked: Asked) -> Told:
        told = refusal(301, "PermanentRedirect")
        return Told(301) if engine == "obstore" else Told(301, told.body, {"x-amz-bucket-region": "eu-central-1"})

    with answering(answer) as (url, asked):
        fs = fresh(url, engine=engine)
        with pytest.raises(OSError, match="another region") as caught:
            fs.pipe_file("/f", b"x")
        assert caught.value.errno == errno.EIO
        with pytest.raises(OSError, match="another region"):
            fs.exists("/f")
        assert len([one for one in asked if one.method == "PUT"]) <= 2
        fs.close()


@pytest.mark.parametrize("code", ["NotImplemented", "MissingContentMD5"])
def test_objects_are_removed_one_by_one_where_they_cannot_be_together(code: str) -> None:
    names = [f"d/{number}" for number in range(3)]
    listed = "".join(f"<Contents><Key>{name}</Key><Size>1</Size></Contents>" for name in names)

    def answer(asked: Asked) -> Told:
        if asked.method == "POST":
            return refusal(501 if code == "NotImplemented" else 400, code)
        if asked.method == "DELETE":
            return refusal(403, "AccessDenied") if asked.path.endswith("/1") else Told(204)
        if asked.method == "HEAD":
            return Told(404)
        return Told(200, EMPTY_LISTING.replace(b"<IsT", f"{listed}<IsT".encode(), 1))

    with answering(answer) as (url, asked):
        fs = fresh(url)
        with pytest.raises(PermissionError, match="/d/1"):
            fs.rm("/d", recursive=True)
        assert {urlsplit(one.path).path for one in asked if one.method == "DELETE"} == {
            f"/bucket/{name}" for name in names
        }
        fs.close()


def test_a_reply_that_a_cache_tells_again_is_believed() -> None:
    headers = {"x-amz-request-id": "the first", "ETag": '"e"', "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}
    with answering(lambda asked: Told(200, b"content", headers)) as (url, asked):
        fs = fresh(url)
        assert [fs.cat_file("/f") for _ in range(3)] == [b"content"] * 3
        assert len(asked) == 4  # the first that came again was asked for over a new connection
        fs.close()


def test_a_parameter_for_all_requests_gives_way_to_that_of_one(s3_url: str, bucket: str) -> None:
    given = {"Metadata": {"by": "all"}, "StorageClass": "STANDARD_IA"}
    fs = filesystem(s3_url, bucket, posix=True, request_kwargs=given)
    etag = fs.pipe_file("/a", b"a")
    fs.pipe_file("/b", b"b", metadata={"by": "one"})
    fs.pipe_file("/a", b"again", if_match=etag)
    assert [fs.info(path)["metadata"] for path in ("/a", "/b")] == [{}, {"by": "one"}]


@pytest.mark.parametrize(
    "told",
    [
        "2026-11-23T19:12:07.250Z",
        "2026-11-23T19:12:07Z",
        "2026-11-23T19:12:07.2Z",
        "2026-11-23T20:12:07+01:00",
        "Mon, 23 Nov 2026 19:12:07 GMT",
        "1795461127",
        1795461127,
    ],
)
def test_times_in_any_form(told: object) -> None:
    assert int(moment(told).timestamp()) == 1795461127


def test_a_time_that_is_none_is_an_error_as_ever() -> None:
    with pytest.raises(ValueError, match="timestamp"):
        moment("yesterdayZ")


def test_a_listing_tells_the_time_that_the_object_tells(s3_url: str, bucket: str) -> None:
    fs = filesystem(s3_url, bucket)
    fs.pipe_file("/f", b"content")
    assert fs.ls("/")[0]["mtime"] == fs.info("/f")["mtime"]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_copy_is_kept_at_the_price_of_its_source(
    engine: str, s3_url: str, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chuk_fsspec.backends.s3.store._LARGEST_COPY", 5 << 20)
    rare = fresh(s3_url, bucket, request_kwargs={"StorageClass": "STANDARD_IA"})
    rare.pipe({"/d/f": b"small", "/large": bytes(6 << 20)})
    fs = fresh(s3_url, bucket, posix=True, engine=engine)
    fs.pipe_file("/often", b"content")
    fs.cp_file("/d/f", "/moved over")
    fs.mv("/d/f", "/moved over")
    fs.cp_file("/moved over", "/d/f", if_none_match="*")
    fs.cp_file("/d/f", "/copy")
    fs.cp_file("/large", "/parts")
    fs.mv("/d", "/e", recursive=True)
    fs.mv("/copy", "/moved")
    fs.posix.chmod("/moved", 0o600)
    kept = {path: info.get("storage_class") for path, info in rare.find("/", detail=True).items()}
    assert kept.pop("/often") is None
    assert kept == dict.fromkeys(("/e/f", "/large", "/moved", "/moved over", "/parts"), "STANDARD_IA")
    fs.close()
    rare.close()


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "eu-central-1"])
def test_urls_are_signed_by_version_4_everywhere(region: str) -> None:
    fs = S3FileSystem("bucket", key="AKIA", secret="s", region=region, skip_instance_cache=True)
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in fs.sign("/f", expiration=60)
    fs.close()


def test_checksums_are_sent_by_themselves_to_amazon_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REQUEST_CHECKSUM_CALCULATION"):
        monkeypatch.delenv(name, raising=False)
    assert Access().checksums == Access("https://s3.eu-west-1.amazonaws.com").checksums == {}
    required = {"request_checksum_calculation": "when_required", "response_checksum_validation": "when_required"}
    assert Access("https://storage.googleapis.com").checksums == required
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_supported")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://minio.example")
    assert list(Access().checksums) == ["response_checksum_validation"]


def test_what_botocore_raises_for_a_sign_on_that_is_over() -> None:
    for error in (
        exceptions.UnauthorizedSSOTokenError(),
        exceptions.TokenRetrievalError(provider="sso", error_msg="Token has expired"),
        exceptions.CredentialRetrievalError(provider="custom-process", error_msg="secret"),
    ):
        verdict = judge(error, "/f")
        assert (verdict.error.errno, verdict.is_passing) == (errno.EACCES, False)
        assert "sign in again" in str(verdict.error)
        assert "secret" not in str(verdict.error)


def test_content_that_does_not_fit_its_checksum_is_asked_for_again() -> None:
    assert judge(exceptions.FlexibleChecksumError(error_msg="no"), "/f").is_passing


@pytest.mark.parametrize("engine", ["s3fs", "obstore"])
@pytest.mark.parametrize("status", [408, 500, 503])
def test_what_may_be_gone_the_next_time_is_asked_again(engine: str, status: int) -> None:
    said = {"ETag": '"e"', "Last-Modified": "Mon, 23 Nov 2026 10:00:00 GMT", "Content-Range": "bytes 0-6/7"}
    found, content = Told(200, b"content", said), Told(206, b"content", said)
    replies = iter([Told(status), found, Told(status), content])
    with answering(lambda asked: next(replies)) as (url, asked):
        fs = fresh(url, engine=engine)
        assert fs.info("/f")["size"] == 7
        assert fs.cat_file("/f") == b"content"
        fs.close()
    assert [one.method for one in asked] == ["HEAD", "HEAD", "GET", "GET"]


def test_a_profile_that_is_not_there_is_no_missing_file() -> None:
    fs = S3FileSystem("bucket", profile="no-such-profile", skip_instance_cache=True)
    with pytest.raises(OSError, match="no-such-profile"):
        fs.exists("/f")
    fs.close()


def test_obstore_for_what_it_cannot_name_is_refused_at_once() -> None:
    for bucket in ("arn:aws:s3:eu-west-1:123456789012:accesspoint:point", "bucket--use1-az4--x-s3"):
        with pytest.raises(ValueError, match="s3fs"):
            S3FileSystem(bucket, engine="obstore")


def test_obstore_sends_amazon_the_checksum_that_locked_objects_need() -> None:
    fs = S3FileSystem("bucket", key="AKIA", secret="s", region="eu-west-1", engine="obstore", skip_instance_cache=True)

    async def opened() -> object:
        keys = fs.reach().service.keys("bucket")
        return (await keys.open(keys.credentials)).config  # type: ignore[attr-defined]

    assert fs.wait(opened())["checksum_algorithm"] == "sha256"  # type: ignore[index]
    fs.close()


def forwarding(url: str, overlooks: Callable[[Asked], bool]) -> Callable[[Asked], Told]:
    """A service that hands requests on to another, some of them without their conditions."""
    place = urlsplit(url)

    def answer(asked: Asked) -> Told:
        left_out = ("if-match", "if-none-match") if overlooks(asked) else ()
        headers = {name: value for name, value in asked.headers.items() if name not in left_out}
        connection = HTTPConnection(str(place.hostname), int(place.port or 0))
        connection.request(asked.method, asked.path, asked.body, headers)
        reply = connection.getresponse()
        body = reply.read()
        hop = ("connection", "content-length", "date", "server", "transfer-encoding")
        told = {name: value for name, value in reply.getheaders() if name.lower() not in hop}
        connection.close()
        return Told(reply.status, body, told)

    return answer


@pytest.mark.parametrize(
    ("conditions", "overlooks"),
    [
        ("writes", lambda asked: asked.method == "DELETE"),
        ("writes", lambda asked: "x-amz-copy-source" in asked.headers),
        ("none", lambda asked: asked.method == "POST"),
        ("none", lambda asked: asked.method == "PUT"),
    ],
    ids=["removals", "copies", "uploads", "writes"],
)
def test_a_service_is_asked_which_conditions_it_checks(
    s3_url: str, bucket: str, conditions: str, overlooks: Callable[[Asked], bool]
) -> None:
    with answering(forwarding(s3_url, overlooks)) as (url, _):
        fs = fresh(url, bucket, prefix="d")
        assert fs.find_conditions() == conditions
        assert fs.find("/") == []
        fs.close()


def test_a_service_that_knows_no_conditions(s3_url: str, bucket: str) -> None:
    hand_on = forwarding(s3_url, lambda asked: False)

    def answer(asked: Asked) -> Told:
        return (
            refusal(501, "NotImplemented") if {"if-match", "if-none-match"} & asked.headers.keys() else hand_on(asked)
        )

    with answering(answer) as (url, _):
        fs = fresh(url, bucket)
        assert fs.find_conditions() == "none"
        fs.pipe_file("/f", b"content")
        with pytest.raises(OSError, match="conditions=") as caught:
            fs.pipe_file("/f", b"other", if_none_match="*")
        assert caught.value.errno == errno.ENOTSUP
        assert fs.cat_file("/f") == b"content"
        fs.close()


def test_one_that_checks_all(s3_url: str, bucket: str) -> None:
    assert filesystem(s3_url, bucket).find_conditions() == "all"
    with pytest.raises(ValueError, match="bucket_name"):
        filesystem(s3_url).find_conditions()
