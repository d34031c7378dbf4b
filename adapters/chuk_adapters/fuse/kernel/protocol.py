"""Numbers and layouts of the FUSE protocol, version 7.45 (<linux/fuse.h>). All integers are in native byte order."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from struct import Struct

MAJOR = 7
MINOR = 45
ROOT_ID = 1
HEADER_SIZE = 40
"""Bytes of the header before each request's body."""
REPLY_SIZE = 16
"""Bytes of the header before each reply's body."""
MAX_TRANSFER = 1024 * 1024
"""Most bytes of content in one READ or WRITE."""


class Opcode(IntEnum):
    """What a request asks."""

    LOOKUP = 1
    FORGET = 2
    GETATTR = 3
    SETATTR = 4
    READLINK = 5
    SYMLINK = 6
    MKNOD = 8
    MKDIR = 9
    UNLINK = 10
    RMDIR = 11
    RENAME = 12
    LINK = 13
    OPEN = 14
    READ = 15
    WRITE = 16
    STATFS = 17
    RELEASE = 18
    FSYNC = 20
    SETXATTR = 21
    GETXATTR = 22
    LISTXATTR = 23
    REMOVEXATTR = 24
    FLUSH = 25
    INIT = 26
    OPENDIR = 27
    READDIR = 28
    RELEASEDIR = 29
    FSYNCDIR = 30
    GETLK = 31
    SETLK = 32
    SETLKW = 33
    ACCESS = 34
    CREATE = 35
    INTERRUPT = 36
    BMAP = 37
    DESTROY = 38
    IOCTL = 39
    POLL = 40
    NOTIFY_REPLY = 41
    BATCH_FORGET = 42
    FALLOCATE = 43
    READDIRPLUS = 44
    RENAME2 = 45
    LSEEK = 46
    COPY_FILE_RANGE = 47
    SETUPMAPPING = 48
    REMOVEMAPPING = 49
    SYNCFS = 50
    TMPFILE = 51
    STATX = 52


class Init(IntFlag):
    """What kernel and server agree on in INIT."""

    ASYNC_READ = 1 << 0
    ATOMIC_O_TRUNC = 1 << 3
    BIG_WRITES = 1 << 5
    AUTO_INVAL_DATA = 1 << 12
    DO_READDIRPLUS = 1 << 13
    READDIRPLUS_AUTO = 1 << 14
    ASYNC_DIO = 1 << 15
    WRITEBACK_CACHE = 1 << 16
    NO_OPEN_SUPPORT = 1 << 17
    PARALLEL_DIROPS = 1 << 18
    MAX_PAGES = 1 << 22
    CACHE_SYMLINKS = 1 << 23
    NO_OPENDIR_SUPPORT = 1 << 24
    EXPLICIT_INVAL_DATA = 1 << 25
    HANDLE_KILLPRIV_V2 = 1 << 28
    INIT_EXT = 1 << 30
    REQUEST_TIMEOUT = 1 << 42


class SetAttr(IntFlag):
    """Which fields of a SETATTR request count."""

    MODE = 1 << 0
    UID = 1 << 1
    GID = 1 << 2
    SIZE = 1 << 3
    ATIME = 1 << 4
    MTIME = 1 << 5
    FH = 1 << 6
    ATIME_NOW = 1 << 7
    MTIME_NOW = 1 << 8
    CTIME = 1 << 10
    KILL_SUIDGID = 1 << 11


class OpenReply(IntFlag):
    """How the kernel treats an open file."""

    DIRECT_IO = 1 << 0
    KEEP_CACHE = 1 << 1


WRITE_KILL_SUIDGID = 1 << 2
NOTIFY_INVAL_INODE = 2
NOTIFY_INVAL_ENTRY = 3

IN_HEADER = Struct("<IIQQIIIHH")  # len, opcode, unique, nodeid, uid, gid, pid, extensions, padding
OUT_HEADER = Struct("<IiQ")  # len, negative errno, unique

_ATTR = "QQQQQQIIIIIIIIII"  # ino size blocks atime mtime ctime a/m/ctimensec mode nlink uid gid rdev blksize flags
_ENTRY = "QQQQII" + _ATTR  # nodeid generation entry_valid attr_valid entry_valid_nsec attr_valid_nsec
_OPEN = "QIi"  # fh, OpenReply, backing id

ENTRY = Struct("<" + _ENTRY)
ENTRY_REPLY = Struct("<IiQ" + _ENTRY)
CREATE_REPLY = Struct("<IiQ" + _ENTRY + _OPEN)
ATTR_REPLY = Struct("<IiQ" + "QII" + _ATTR)  # attr_valid, attr_valid_nsec, padding
OPEN_REPLY = Struct("<IiQ" + _OPEN)
WRITE_REPLY = Struct("<IiQ" + "II")  # size, padding
XATTR_SIZE_REPLY = Struct("<IiQ" + "II")
LSEEK_REPLY = Struct("<IiQ" + "Q")
STATFS_REPLY = Struct("<IiQ" + "QQQQQIIII24x")  # blocks bfree bavail files ffree bsize namelen frsize padding
INIT_REPLY = Struct("<IIIIHHIIHHIIH22x")
# major minor max_readahead flags max_background congestion_threshold max_write time_gran max_pages map_alignment flags2
# max_stack_depth request_timeout

INIT_IN = Struct("<IIIII")  # major minor max_readahead flags flags2
FORGET_IN = Struct("<Q")
BATCH_FORGET_IN = Struct("<II")
FORGET_ONE = Struct("<QQ")
SETATTR_IN = Struct("<IIQQQQQQIIIIIIII")
# valid padding fh size lock_owner atime mtime ctime a/m/ctimensec mode unused uid gid unused
MKNOD_IN = Struct("<IIII")  # mode rdev umask padding
MKDIR_IN = Struct("<II")  # mode umask
RENAME_IN = Struct("<Q")  # newdir
RENAME2_IN = Struct("<QII")  # newdir flags padding
LINK_IN = Struct("<Q")  # oldnodeid
OPEN_IN = Struct("<II")  # flags open_flags
CREATE_IN = Struct("<IIII")  # flags mode umask open_flags
READ_IN = Struct("<QQIIQII")  # fh offset size flags lock_owner flags padding
WRITE_IN = READ_IN
RELEASE_IN = Struct("<QIIQ")  # fh flags release_flags lock_owner
FSYNC_IN = Struct("<QII")  # fh flags padding
FLUSH_IN = Struct("<QIIQ")  # fh unused padding lock_owner
SETXATTR_IN = Struct("<II")  # size flags
GETXATTR_IN = Struct("<II")  # size padding
ACCESS_IN = Struct("<I4x")  # mask padding
FALLOCATE_IN = Struct("<QQQII")  # fh offset length mode padding
LSEEK_IN = Struct("<QQII")  # fh offset whence padding
COPY_FILE_RANGE_IN = Struct("<QQQQQQQ")  # fh_in off_in nodeid_out fh_out off_out len flags
INTERRUPT_IN = Struct("<Q")  # unique
DIRENT = Struct("<QQII")  # ino off namelen type
NOTIFY_INODE = Struct("<IiQ" + "Qqq")  # nodeid offset length
NOTIFY_ENTRY = Struct("<IiQ" + "QII")  # parent namelen flags
