"""``E2BFileSystem``: the files of a sandbox, and the sandbox around them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chuk_fsspec.backends.e2b.asking import Asker
from chuk_fsspec.backends.e2b.controls import CodeSandboxControls, SandboxControls
from chuk_fsspec.backends.e2b.errors import told
from chuk_fsspec.backends.e2b.home import Home, sandbox_class
from chuk_fsspec.backends.e2b.options import SandboxOptions
from chuk_fsspec.backends.e2b.place import Place
from chuk_fsspec.backends.e2b.running import Command, Completed, code_result, completed, runs_code
from chuk_fsspec.backends.e2b.store import TRAITS, E2BStore
from chuk_fsspec.backends.e2b.watching import Change, Watch, change_of
from chuk_fsspec.contract.paths import normalise
from chuk_fsspec.remote.calling import Patience
from chuk_fsspec.remote.filesystem import RemoteFileSystem
from chuk_fsspec.remote.store import RemoteStore
from chuk_fsspec.remote.waiting import waiting

HOME = "/home/user"


class E2BFileSystem(RemoteFileSystem):
    """The files of an E2B sandbox, which is made when it is first needed, or which was there before."""

    protocol = "chuke2b"

    def __init__(
        self,
        *,
        sandbox_id: str = "",
        root_dir: str = HOME,
        timeout: int | None = None,
        api_key: str = "",
        template: str = "",
        user: str = "",
        kill_on_close: bool | None = None,
        request_timeout: float = 60.0,
        attempts: int = 5,
        **kwargs: Any,
    ) -> None:
        """Prepare; nothing is asked of E2B yet.

        Args:
            sandbox_id: of a sandbox that is there, paused ones included; empty to make one.
            root_dir: the directory of the sandbox that is ``/`` here, absolute; made if it is missing.
            timeout: seconds that the sandbox lives from when it is made or found; None for what E2B has.
            api_key: of the account; empty for the environment variable E2B_API_KEY, which no pickle contains.
            template: what a sandbox is made from; empty for E2B's own.
            user: of the sandbox, who reads and writes; empty for the one that it has by itself.
            kill_on_close: end the sandbox with the filesystem; None for one that was made here, and not for others.
            request_timeout: seconds for one attempt at a request.
            attempts: for one request, the first included.
            kwargs: as for ``RemoteFileSystem``.

        Raises:
            ValueError: for options that mean nothing, naming them.
        """
        if not root_dir.startswith("/"):
            raise ValueError(f"root_dir is an absolute path of the sandbox, not {root_dir!r}")
        kill = not sandbox_id if kill_on_close is None else kill_on_close
        self._shown = Place(normalise(root_dir))
        self._patience = Patience(timeout=request_timeout, attempts=attempts)
        options = SandboxOptions(sandbox_id, template, timeout, user, kill, api_key)
        self._home = Home(options, self._shown.root, self._patience)
        self._token = uuid.uuid4().hex
        super().__init__(**kwargs)

    def _make_store(self) -> RemoteStore:
        return E2BStore(Asker(self._home, self._patience, TRAITS.parallel_requests), self._shown)

    # ---- the sandbox

    @property
    def fsid(self) -> str:
        """Names the filesystem: two with one ``fsid`` see the same files."""
        return f"chuke2b-{self._home.options.sandbox_id or self._token}-{self._shown.root}"

    async def _sandbox(self) -> Any:
        store = self._store
        assert isinstance(store, E2BStore)
        return await store.asker.sandbox()

    async def _sandbox_id(self) -> str:
        """The id of the sandbox, which is made if there is none yet."""
        return str((await self._sandbox()).sandbox_id)

    @property
    def sandbox_id(self) -> str:
        """The id of the sandbox, with which others attach to it; one is made if there is none yet."""
        return self._home.open_id or self._wait(self._sandbox_id())

    @property
    def sandbox(self) -> SandboxControls:
        """What can be done with the sandbox besides its files, by the names of E2B's SDK."""
        return (CodeSandboxControls if runs_code(sandbox_class()) else SandboxControls)(self)

    async def _set_timeout(self, seconds: int) -> None:
        """Have the sandbox live so many seconds from now. ENOTCONN for one that is over."""
        with told("/"):
            await (await self._sandbox()).set_timeout(seconds)

    async def _run(
        self,
        command: str | Sequence[str],
        cwd: str = "/",
        env: Mapping[str, str] | None = None,
        timeout: float = 60.0,
    ) -> Completed:
        """Run a command in the sandbox and wait for its end.

        Args:
            command: a line for its shell; or a list, of which each part is one word whatever is in it.
            cwd: the directory in which it starts, a path of this filesystem.
            env: environment variables besides those of the sandbox.
            timeout: seconds after which it is ended; 0 for never.

        Returns:
            What came of it, whatever its exit code.

        Raises:
            OSError: ETIMEDOUT, ENOTCONN; what E2B says.
        """
        directory = self._shown.real(self._strip_protocol(cwd))
        sandbox, user = await self._sandbox(), self._home.options.user or None
        try:
            return await completed(sandbox, Command(command, directory, env or {}, timeout), user)
        finally:
            self.invalidate_cache()

    async def _run_code(self, code: str, **options: Any) -> Any:
        """Run code in the interpreter of the sandbox, which keeps its variables from one call to the next.

        Args:
            code: Python, unless ``language`` says otherwise.
            options: those of ``run_code`` in the package e2b-code-interpreter.

        Returns:
            That package's ``Execution``.

        Raises:
            OSError: ENOTSUP without the package; what E2B says.
        """
        try:
            return await code_result(await self._sandbox(), code, **options)
        finally:
            self.invalidate_cache()

    async def _watch(self, path: str, on_change: Callable[[Change], None], *, recursive: bool = False) -> Watch:
        """Hear of changes in a directory, whoever makes them.

        Args:
            path: the directory.
            on_change: told of each, in the thread of the event loop, which it must not hold up.
            recursive: in all directories below it, too.

        Returns:
            What ends it; it ends a ``with`` block by itself.

        Raises:
            OSError: ENOENT, ENOTDIR.
        """
        directory = self._strip_protocol(path)

        def heard(event: Any) -> None:
            change = change_of(directory, event)
            if change is not None:
                self._known.gone(change.path)
                on_change(change)

        files, user = (await self._sandbox()).files, self._home.options.user or None
        with told(directory):
            handle = await files.watch_dir(
                self._shown.real(directory), heard, user=user, timeout=0, recursive=recursive
            )
        return Watch(handle, self.loop)

    set_timeout = waiting(_set_timeout)
    run = waiting(_run)
    run_code = waiting(_run_code)
    watch = waiting(_watch)

    # ---- copies and the end

    async def _close(self) -> None:
        """Let go of the connections of the running event loop, and of the sandbox if it is to end with this."""
        type(self)._cache.pop(self._fs_token, None)  # noqa: SLF001 - fsspec has no public name for it
        await super()._close()

    def _for_others(self) -> dict[str, Any]:
        options = super()._for_others()
        return (
            {**options, "sandbox_id": self.sandbox_id, "kill_on_close": False} if self._home.options.kill else options
        )

    def to_dict(self, *, include_password: bool = True) -> dict[str, Any]:
        """As fsspec's; the copy attaches to this sandbox."""
        told: dict[str, Any] = super().to_dict(include_password=include_password)
        return {**told, **self._for_others()}

    def __reduce__(self) -> Any:
        return _attached, (type(self), self._for_others())


def _attached(kind: type[E2BFileSystem], options: dict[str, Any]) -> E2BFileSystem:
    return kind(**options)
