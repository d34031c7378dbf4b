"""Fields of an inode as they are: nothing is read again first, and nothing noted as changed."""

from __future__ import annotations

from chuk_fsspec.engine.inode import Inode

set_mode = Inode.__dict__["mode"].__set__
set_nlink = Inode.__dict__["nlink"].__set__
set_uid = Inode.__dict__["uid"].__set__
set_gid = Inode.__dict__["gid"].__set__
set_version = Inode.__dict__["version"].__set__
set_atime = Inode.__dict__["atime_ns"].__set__
set_mtime = Inode.__dict__["mtime_ns"].__set__
set_ctime = Inode.__dict__["ctime_ns"].__set__
set_xattrs = Inode.__dict__["xattrs"].__set__
set_content = Inode.__dict__["content"].__set__

get_mode = Inode.__dict__["mode"].__get__
get_nlink = Inode.__dict__["nlink"].__get__
get_uid = Inode.__dict__["uid"].__get__
get_gid = Inode.__dict__["gid"].__get__
get_version = Inode.__dict__["version"].__get__
get_atime = Inode.__dict__["atime_ns"].__get__
get_mtime = Inode.__dict__["mtime_ns"].__get__
get_ctime = Inode.__dict__["ctime_ns"].__get__
get_xattrs = Inode.__dict__["xattrs"].__get__
get_content = Inode.__dict__["content"].__get__
