"""The commands of ``chuk-fsspec``. Only the module of the one that is called is imported."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        module: where its ``add_parser`` is, below ``chuk_fsspec.cli``.
        summary: one line for the list of commands.
    """

    module: str
    summary: str


COMMANDS: dict[str, Command] = {
    "ls": Command("files.ls_cmd", "list directories"),
    "tree": Command("files.tree_cmd", "show a directory as an indented tree, with sizes"),
    "find": Command("files.find_cmd", "find files by name, kind, size and time"),
    "du": Command("files.du_cmd", "say how many bytes directories hold"),
    "stat": Command("files.stat_cmd", "show all that is known of files"),
    "cat": Command("files.cat_cmd", "write the content of files to standard output"),
    "head": Command("files.head_cmd", "write the beginning of files"),
    "tail": Command("files.tail_cmd", "write the end of files, and what is added to them"),
    "grep": Command("files.grep_cmd", "find lines in files"),
    "cp": Command("files.cp_cmd", "copy files and directories, also from one filesystem to another"),
    "mv": Command("files.mv_cmd", "move or rename files and directories, also to another filesystem"),
    "rm": Command("files.rm_cmd", "remove files and directories"),
    "mkdir": Command("files.mkdir_cmd", "make directories"),
    "sync": Command("files.sync_cmd", "make one directory like another, by copying what differs"),
    "put": Command("files.put_cmd", "copy files of this machine to a URL"),
    "get": Command("files.get_cmd", "copy files of a URL to this machine"),
    "edit": Command("files.edit_cmd", "edit a file of any filesystem with your editor"),
    "mount": Command("mount_cmd", "mount a filesystem on a directory"),
    "umount": Command("umount_cmd", "unmount, also when the server has died"),
    "serve": Command("serve_cmd", "serve a filesystem on the network"),
    "mcp": Command("mcp_cmd", "serve files to a model as MCP tools"),
    "run": Command("run_cmd", "run a command on a staged copy, and approve what it has changed"),
    "snapshot": Command("snapshot_cmd", "take snapshots of a filesystem, compare them, and go back"),
    "export": Command("export_cmd", "write a directory of a filesystem to a tar, zip or JSON archive"),
    "import": Command("import_cmd", "put the files of a tar, zip or JSON archive into a filesystem"),
    "template": Command("template_cmd", "make trees of files from templates"),
    "sqlite": Command("sqlite_cmd", "check, measure, import and export SQLite files of files"),
    "s3": Command("buckets.s3_cmd", "list, make, measure, clear, copy and remove buckets of S3"),
    "gcs": Command("buckets.gcs_cmd", "the same for buckets of Google Cloud Storage"),
    "gdrive": Command("gdrive_cmd", "log in to Google Drive"),
    "audit": Command("audit_cmd", "check an audit log, read it, and take its head"),
    "doctor": Command("doctor_cmd", "say what this machine can do, and what to install for the rest"),
    "completion": Command("completion_cmd", "print a script that completes commands, options and paths in a shell"),
}
