"""Requests of the Drive API v2, each a coroutine. The libraries behind it block, so worker threads make them."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from typing import Any, TypeVar

import httplib2
from googleapiclient import discovery_cache
from googleapiclient.discovery import build_from_document
from pydrive2.auth import GoogleAuth

from chuk_fsspec.backends.gdrive import wire
from chuk_fsspec.backends.gdrive.errors import judge, status_of
from chuk_fsspec.backends.gdrive.resources import FIELDS, MARK, Resource, all_properties, resource_of
from chuk_fsspec.backends.gdrive.statistics import Statistics
from chuk_fsspec.contract.threads import in_thread
from chuk_fsspec.remote.calling import Calls, Patience

Result = TypeVar("Result")

_PAGE = 1000
"""Files of one page of a list; the most there are."""
_ANYWHERE = {"supportsAllDrives": True}
"""Without it the service knows no files but those of My Drive."""
_AMONG_SHARED = {**_ANYWHERE, "corpora": "drive", "includeItemsFromAllDrives": True}
_IDS = 100
"""Identifiers for new files that are asked for at once."""


@lru_cache(maxsize=4)
def _service(endpoint_url: str) -> Any:
    """The API as the client library describes it, elsewhere if need be. Its methods only make up requests."""
    document = json.loads(discovery_cache.get_static_doc("drive", "v2"))
    document["rootUrl"] = f"{endpoint_url.rstrip('/')}/"
    document["baseUrl"] = document["rootUrl"] + document["servicePath"]
    return build_from_document(document, http=httplib2.Http())


class DriveClient:
    """The files of one user's Drive, by their identifiers."""

    def __init__(
        self,
        auth: GoogleAuth,
        endpoint_url: str,
        patience: Patience,
        workers: int,
        statistics: Statistics,
        drive_id: str = "",
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            auth: who asks.
            endpoint_url: where the service is.
            patience: how long to wait for it.
            workers: how many requests may be on their way at once.
            statistics: where requests are counted.
            drive_id: of the shared drive whose files are listed; empty for My Drive.
        """
        self._among = _AMONG_SHARED | {"driveId": drive_id} if drive_id else _ANYWHERE
        self._auth = auth
        self._files = _service(endpoint_url).files()
        self._properties = _service(endpoint_url).properties()
        self._calls = Calls(judge, patience, workers)
        self._statistics = statistics
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="chukgdrive")
        self._threads = threading.local()
        self._connections: list[httplib2.Http] = []
        self._ids: list[str] = []

    # ---- looking

    async def get(self, path: str, file_id: str) -> Resource | None:
        """What is known of a file; None if there is no such one, or it is in the trash."""
        found = await self._get(path, file_id)
        return None if found is None or found.is_trashed else found

    async def _get(self, path: str, file_id: str) -> Resource | None:
        try:
            told = await self._execute("get", path, lambda: self._files.get(fileId=file_id, fields=FIELDS, **_ANYWHERE))
        except FileNotFoundError:
            return None
        return resource_of(told)

    async def folder(self, path: str, folder_id: str, title: str | None = None, most: int = 0) -> list[Resource]:
        """What is in a folder.

        Args:
            path: of what is asked for.
            folder_id: where.
            title: only what has this title.
            most: as many as are needed; 0 for all.
        """
        query = f"'{wire.quoted(folder_id)}' in parents and trashed=false"
        if title is not None:
            query += f" and title='{wire.quoted(title)}'"
        found: list[Resource] = []
        page: str | None = None
        while True:
            told = await self._page(path, query, page, most or _PAGE)
            found += [resource_of(one) for one in told["items"]]
            page = told.get("nextPageToken")
            if page is None or (most and len(found) >= most):
                break
        # The service takes no account of capitals and accents when it compares titles.
        return found if title is None else [one for one in found if one.title == title]

    async def _page(self, path: str, query: str, page: str | None, most: int) -> dict[str, Any]:
        asked = {"q": query, "maxResults": most, "fields": f"items({FIELDS}),nextPageToken", **self._among}
        if page is not None:
            asked["pageToken"] = page
        told: dict[str, Any] = await self._execute("list", path, lambda: self._files.list(**asked))
        return told

    async def read(self, path: str, known: Resource, start: int, stop: int | None, revision: str = "") -> wire.Part:
        """Bytes of a file, from ``start`` to before ``stop``; fewer where it ends. ENOENT."""
        asked = {"fileId": known.id, **_ANYWHERE, **({"revisionId": revision} if revision else {})}

        size = max((known.size if stop is None else stop) - start, 0)
        media = self._files.get_media
        return await self._run("read", path, lambda http: wire.read(media(**asked), http, start, stop), size)

    # ---- making and changing

    async def make(self, path: str, body: Mapping[str, Any], content: bytes | None = None) -> Resource:
        """Make a file, or with no content a folder. Made twice, it is there once: its identifier is chosen before."""
        told = {**body, "id": await self.new_id(path)}
        asked = {"body": told, "fields": FIELDS, **_ANYWHERE}
        size, mime = len(content or b""), wire.mime_of(body["title"])
        return await self._made(
            path, told["id"], "insert", lambda: self._files.insert(**asked, **wire.media(content, mime)), size
        )

    async def copy(self, path: str, file_id: str, body: Mapping[str, Any]) -> Resource:
        """Copy a file inside the service."""
        told = {**body, "id": await self.new_id(path)}
        return await self._made(
            path, told["id"], "copy", lambda: self._files.copy(fileId=file_id, body=told, fields=FIELDS, **_ANYWHERE)
        )

    async def _made(self, path: str, file_id: str, name: str, request: Callable[[], Any], size: int = 0) -> Resource:
        try:
            return resource_of(await self._execute(name, path, request, size=size))
        except FileExistsError:  # by an attempt whose reply was lost
            found = await self.get(path, file_id)
            if found is None:
                raise
            return found

    async def change(
        self,
        path: str,
        known: Resource,
        body: Mapping[str, Any],
        content: bytes | None = None,
        parent: str = "",
        *,
        is_now: bool = False,
    ) -> Resource | None:
        """Change a file, if it is what is known of it; None if it is not, and nothing was done.

        The change is noted with the file, so that it is known again when only its reply was lost.

        Args:
            path: of the file.
            known: what the caller has seen.
            body: what is to be changed.
            content: takes the place of what it holds; None to leave that.
            parent: the folder to which it is moved.
            is_now: whether a change of anything but content counts as one at this time.
        """
        moved = {"addParents": parent, "removeParents": known.parent} if parent and parent != known.parent else {}
        mark = secrets.token_hex(8)
        told = {**body, "properties": all_properties(known, body, {MARK: mark})}
        asked: dict[str, Any] = {"fileId": known.id, "body": told, "fields": FIELDS, **_ANYWHERE, **moved}
        if content is None:
            asked["modifiedDateBehavior"] = "now" if is_now else "noChange"
            return await self._changed("patch", path, known, mark, lambda: self._files.patch(**asked))
        size = len(content)
        return await self._changed(
            "update", path, known, mark, lambda: self._files.update(**asked, **wire.media(content, known.mime)), size
        )

    async def delete(self, path: str, known: Resource) -> bool:
        """Remove a file for good, if it is what is known of it; False if it is not, and nothing was done."""
        try:
            await self._execute(
                "delete", path, lambda: self._files.delete(fileId=known.id, **_ANYWHERE), if_match=known.etag
            )
        except FileNotFoundError:
            return True  # it is gone, perhaps by an attempt whose reply was lost
        except OSError as error:
            if status_of(error.__cause__) != 412:
                raise
            return False
        return True

    async def _changed(
        self, name: str, path: str, known: Resource, mark: str, request: Callable[[], Any], size: int = 0
    ) -> Resource | None:
        try:
            return resource_of(await self._execute(name, path, request, if_match=known.etag, size=size))
        except OSError as error:
            if status_of(error.__cause__) not in (404, 412):
                raise
        found = await self._get(path, known.id)
        return found if found is not None and found.mark == mark else None

    async def new_id(self, path: str) -> str:
        """An identifier for a file that is to be made."""
        if not self._ids:
            told = await self._execute("generateIds", path, lambda: self._files.generateIds(maxResults=_IDS))
            self._ids += told["ids"]
        return self._ids.pop()

    async def drop_property(self, path: str, file_id: str, key: str) -> None:
        """Have a file forget a property. ENOENT if it has none of this name."""
        asked = {"fileId": file_id, "propertyKey": key, "visibility": "PRIVATE"}
        await self._execute("property", path, lambda: self._properties.delete(**asked))

    # ---- uploads

    async def begin_upload(
        self, path: str, body: Mapping[str, Any], known: Resource | None, *, is_guarded: bool
    ) -> wire.Session | None:
        """Begin an upload in parts: of a new file, or in place of what is known of one.

        Args:
            path: of the file.
            body: what is to be known of it.
            known: what the caller has seen; None for a new file.
            is_guarded: whether it has to be that still.

        Returns:
            What ``send_part`` needs; None if the file is gone, or not what it has to be.
        """
        more = {"properties": all_properties(known, body)} if known else {"id": await self.new_id(path)}
        mime = known.mime if known else wire.mime_of(body["title"])
        asked: dict[str, Any] = {
            "body": {**body, **more},
            "fields": FIELDS,
            **_ANYWHERE,
            **wire.media(b"", mime, in_parts=True),
        }

        begun: list[wire.Session] = []

        def begin(http: httplib2.Http) -> wire.Session:
            request = self._files.update(fileId=known.id, **asked) if known else self._files.insert(**asked)
            session = wire.Session(wire.begin(request, http, known.etag if known and is_guarded else ""))
            begun.append(session)
            return session

        session: wire.Session | None = None
        try:
            session = await self._run("upload", path, begin)
        except OSError as error:
            if known is None or status_of(error.__cause__) not in (404, 412):
                raise
        finally:  # an attempt that nobody waited for any more may have begun one, too
            for other in begun:
                if other is not session:
                    with suppress(OSError):  # it is over in a week
                        await self.cancel(path, other)
        return session

    async def send_part(self, path: str, session: wire.Session, data: bytes, *, is_last: bool) -> Resource | None:
        """Send a part, in order; what an attempt has sent is not sent again by the next.

        Returns:
            What there is after the last part; None after any other.

        Raises:
            OSError: ESTALE if the file is not any more what it has to be.
        """
        stop = session.sent + len(data)
        told = await self._run(
            "part", path, lambda http: wire.send(http, session, data, stop, is_last=is_last), len(data)
        )
        session.sent = stop
        return resource_of(told) if told else None

    async def cancel(self, path: str, session: wire.Session) -> None:
        """Have the service forget an upload. One that it does not know is none."""
        await self._run("cancel", path, lambda http: wire.cancel(http, session))

    # ---- how

    async def _execute(self, name: str, path: str, make: Callable[[], Any], if_match: str = "", size: int = 0) -> Any:
        def execute(http: httplib2.Http) -> Any:
            request = make()
            if if_match:
                request.headers["If-Match"] = if_match
            return request.execute(http=http)

        return await self._run(name, path, execute, size)

    async def _run(self, name: str, path: str, request: Callable[[httplib2.Http], Result], size: int = 0) -> Result:
        def attempt() -> Result:
            self._statistics.calls[name] += 1
            return request(self._connection())

        return await self._calls(path, lambda: in_thread(attempt, self._pool), size=size)

    def _connection(self) -> httplib2.Http:
        """That of this thread: none may be used by two."""
        found: httplib2.Http | None = getattr(self._threads, "http", None)
        if found is None:
            found = self._threads.http = self._auth.Get_Http_Object()
            self._connections.append(found)
        wire.drop_what_nobody_asked_for(found)
        return found

    async def close(self) -> None:
        """Let go of threads and connections. A second time it does nothing."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        while self._connections:
            self._connections.pop().close()
