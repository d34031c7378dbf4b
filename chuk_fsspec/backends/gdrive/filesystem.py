"""``chukgdrive``: a folder of a user's Google Drive."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from chuk_fsspec.backends.gdrive.client import DriveClient
from chuk_fsspec.backends.gdrive.credentials import Credentials, authenticate
from chuk_fsspec.backends.gdrive.noting import Notes
from chuk_fsspec.backends.gdrive.options import ENDPOINT, SERVICE, DriveOptions
from chuk_fsspec.backends.gdrive.posix import DrivePosix
from chuk_fsspec.backends.gdrive.statistics import Statistics
from chuk_fsspec.backends.gdrive.store import DriveStore
from chuk_fsspec.remote.calling import Patience
from chuk_fsspec.remote.filesystem import RemoteFileSystem
from chuk_fsspec.remote.store import RemoteStore

Result = TypeVar("Result")


class GoogleDriveFileSystem(RemoteFileSystem):
    """A folder of a user's Google Drive as a filesystem.

    Paths are names below the folder. The user sees every file in the browser, and owns it.
    """

    protocol = "chukgdrive"

    def __init__(
        self,
        credentials: Credentials = None,
        root_folder: str = "CHUK",
        cache_ttl: float = 60.0,
        session_id: str | None = None,
        sandbox_id: str | None = None,
        *,
        use_trash: bool = True,
        timeout: float = 60.0,
        attempts: int = 6,
        workers: int = 8,
        part_size: int = 8 << 20,
        drive_id: str = "",
        endpoint_url: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Prepare; nothing is asked of the service yet.

        Args:
            credentials: what ``chuk-fsspec gdrive login`` writes: as a mapping, its JSON, or its file; also the key of
                a service account. None for those in the variable GOOGLE_DRIVE_CREDENTIALS, which are not kept with
                the options of the filesystem.
            root_folder: the folder of My Drive that is ``/``, made when it is first needed.
            cache_ttl: seconds for which it is believed which file a path means; 0 to ask each time.
            session_id: noted in the properties of every file that is written.
            sandbox_id: likewise.
            use_trash: have what is removed go to the trash of the Drive, where it stays for 30 days.
            timeout: seconds that one attempt of a request may take.
            attempts: of one request, where the service is busy or the connection breaks.
            workers: requests at once.
            part_size: bytes of one part of a file that is sent or read in parts, a multiple of 256 KiB.
            drive_id: of the shared drive that has the folder, as its address in the browser ends; empty for My Drive,
                in which service accounts have no room.
            endpoint_url: where the service is, for tests; None for what the variable GOOGLE_DRIVE_ENDPOINT_URL says,
                and without it for Google's.
            kwargs: options of ``RemoteFileSystem``.

        Raises:
            OSError: the file of credentials cannot be read.
            ValueError: for options that mean nothing.
        """
        service = endpoint_url or os.environ.get(ENDPOINT) or SERVICE
        self._options = DriveOptions(
            root_folder, cache_ttl, session_id or "", sandbox_id or "", use_trash, service, workers, part_size, drive_id
        )
        self._patience = Patience(timeout, attempts, first_wait=0.5, longest_wait=32.0, throttled_wait=2.0)
        self._authentication = authenticate(credentials, timeout)
        self._statistics = Statistics()
        super().__init__(**kwargs)

    def _make_store(self) -> RemoteStore:
        client = DriveClient(
            self._authentication,
            self._options.endpoint_url,
            self._patience,
            self._options.workers,
            self._statistics,
            self._options.drive_id,
        )
        return DriveStore(client, self._options, self._statistics)

    @property
    def posix(self) -> DrivePosix:
        """POSIX operations on this filesystem."""
        return DrivePosix(self)

    def notes(self, path: str) -> dict[str, bytes]:
        """The extended attributes of a path, which Drive keeps as private properties. ENOENT."""
        return self._wait(self._on_notes(lambda notes: notes.all(self._strip_protocol(path))))

    def note(self, path: str, name: str, value: bytes, flags: int = 0) -> None:
        """Set an extended attribute; flags as for ``os.setxattr``. EEXIST, ENODATA, E2BIG, ENOSPC."""
        self._wait(self._on_notes(lambda notes: notes.set(self._strip_protocol(path), name, value, flags)))

    def forget_note(self, path: str, name: str) -> None:
        """Remove an extended attribute. ENODATA."""
        self._wait(self._on_notes(lambda notes: notes.remove(self._strip_protocol(path), name)))

    async def _on_notes(self, act: Callable[[Notes], Coroutine[Any, Any, Result]]) -> Result:
        store = self._store
        assert isinstance(store, DriveStore)
        return await act(store.notes)

    def statistics(self) -> dict[str, int]:
        """Requests made since the filesystem was opened, and how often the identifier of a path was known."""
        return self._statistics.figures()
