"""``AsyncTemplateLoader``: ``TemplateLoader`` for coroutines. What each call does is said there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.callbacks import DEFAULT_CALLBACK, Callback

from chuk_fsspec.facade.bridge import documented_by, work
from chuk_fsspec.templates import Limits, Report, TemplateLoader
from chuk_fsspec.templates.loader import Location
from chuk_fsspec.templates.preloading import KEEP
from chuk_fsspec.templates.surveying import ERROR
from chuk_fsspec.templates.template import DEFAULT_LIMITS


@documented_by(TemplateLoader)
class AsyncTemplateLoader:
    """``TemplateLoader`` with methods to be awaited. The arguments are the same."""

    def __init__(
        self, fs: Any, *, strict: bool = True, on_existing: str = ERROR, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self.sync = TemplateLoader(fs, strict=strict, on_existing=on_existing, limits=limits)

    async def apply_template(
        self,
        template_data: Any,
        target_path: str = "/",
        variables: Mapping[str, Any] | None = None,
        *,
        content_base: Location | AbstractFileSystem | None = None,
        callback: Callback = DEFAULT_CALLBACK,
    ) -> Report:
        return await work(
            self.sync.apply_template,
            template_data,
            target_path,
            variables,
            content_base=content_base,
            callback=callback,
        )

    async def load_template(
        self,
        template_path: Location,
        target_path: str = "/",
        variables: Mapping[str, Any] | None = None,
        *,
        callback: Callback = DEFAULT_CALLBACK,
    ) -> Report:
        return await work(self.sync.load_template, template_path, target_path, variables, callback=callback)

    async def load_from_template_directory(
        self, template_dir: Location, target_path: str = "/", variables: Mapping[str, Any] | None = None
    ) -> dict[str, int]:
        return await work(self.sync.load_from_template_directory, template_dir, target_path, variables)

    async def preload_directory(
        self,
        source_dir: Location,
        target_path: str = "/",
        pattern: str = "*",
        recursive: bool = True,
        *,
        symlinks: str = KEEP,
        callback: Callback = DEFAULT_CALLBACK,
    ) -> int:
        return await work(
            self.sync.preload_directory,
            source_dir,
            target_path,
            pattern,
            recursive,
            symlinks=symlinks,
            callback=callback,
        )

    async def quick_load(self, content_dict: Mapping[str, str | bytes], base_path: str = "/") -> int:
        return await work(self.sync.quick_load, content_dict, base_path)
