"""A collection as a page, for people who come with a browser."""

from __future__ import annotations

import time
from html import escape

from chuk_adapters.webdav.door import Door
from chuk_adapters.webdav.files.facts import Info, is_directory
from chuk_adapters.webdav.http.answer import Answer, whole
from chuk_adapters.webdav.http.refusal import Refusal
from chuk_adapters.webdav.http.request import Request
from chuk_fsspec.contract.display import amount
from chuk_fsspec.contract.paths import join, split

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222;background:#fff}
h1{font-size:1.2em;font-weight:600;overflow-wrap:anywhere}a{color:#0645ad;text-decoration:none}
a:hover{text-decoration:underline}table{border-collapse:collapse;width:100%}
td,th{padding:.25em .6em;text-align:left;border-bottom:1px solid #ddd}td:first-child{overflow-wrap:anywhere}
.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}a{color:#8ab4f8}td,th{border-color:#333}}
"""

_HEADERS = [
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    ("Referrer-Policy", "same-origin"),
    ("Cache-Control", "no-cache"),
]


def page_of(door: Door, request: Request) -> Answer:
    """The page of a collection. Refusal: 403 where pages are switched off."""
    if not door.options.browser:
        raise Refusal(403, "a collection has no content: ask for its properties")
    infos = sorted(door.tree.children(request.path), key=lambda info: (not is_directory(info), info["name"]))
    rows = "".join(_row(request, info) for info in infos) or '<tr><td colspan="3">empty</td></tr>'
    html = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{_shown(request.path)}</title><style>{_STYLE}</style></head><body><h1>{_trail(request)}</h1>"
        '<table><thead><tr><th>Name</th><th class="n">Size</th><th class="n">Changed (UTC)</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></body></html>\n"
    )
    return whole(200, html, "text/html; charset=utf-8", _HEADERS)


def _trail(request: Request) -> str:
    """Links to the collection and to all above it."""
    links = [f'<a href="{escape(request.href("/", is_directory=True))}">root</a>']
    path = "/"
    for name in request.path.split("/")[1:] if request.path != "/" else ():
        path = join(path, name)
        links.append(f'<a href="{escape(request.href(path, is_directory=True))}">{_shown(name)}</a>')
    return " / ".join(links)


def _row(request: Request, info: Info) -> str:
    is_dir = is_directory(info)
    path = join(request.path, split(info["name"])[1])
    name = _shown(split(path)[1]) + ("/" if is_dir else "")
    size = "" if is_dir else amount(info["size"])
    changed = time.strftime("%Y-%m-%d %H:%M", time.gmtime(info["mtime"])) if "mtime" in info else ""
    link = f'<a href="{escape(request.href(path, is_directory=is_dir))}">{name}</a>'
    return f'<tr><td>{link}</td><td class="n">{size}</td><td class="n">{changed}</td></tr>'


def _shown(name: str) -> str:
    """A name as text; bytes that are not UTF-8, and what is not printed, as a replacement character."""
    return escape("".join(char if char.isprintable() else "\ufffd" for char in name))
