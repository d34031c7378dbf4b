"""What `make demo` shows: one in-memory tree, used through fsspec and by pandas. Every step asserts what it prints."""

from __future__ import annotations

import fsspec
import pandas as pd


def step(title: str) -> None:
    """Announce a step."""
    print(f"\n== {title}")


def main() -> None:
    """Run the demonstration."""
    fs = fsspec.filesystem("chukmem", name="demo")

    step("files and directories, through plain fsspec")
    fs.makedirs("/project/src", exist_ok=True)
    fs.pipe_file("/project/src/main.py", b"print('hello')\n")
    fs.mv("/project/src", "/project/lib", recursive=True)
    for path, details in fs.find("/project", detail=True).items():
        print(f"   {details['size']:>4} bytes  {path}")
    assert fs.find("/project") == ["/project/lib/main.py"]

    step("a program that dies while writing leaves the old file")
    fs.pipe_file("/config.toml", b"retries = 3\n")
    try:
        with fs.open("/config.toml", "w") as f:
            f.write("retr")
            raise RuntimeError("the program dies here")
    except RuntimeError as error:
        print(f"   {error}; the file still holds {fs.cat_file('/config.toml')!r}")
    assert fs.cat_file("/config.toml") == b"retries = 3\n"

    step("errors are Python's own, with an errno")
    try:
        fs.cat_file("/missing")
    except FileNotFoundError as error:
        print(f"   {type(error).__name__}: {error}")
    else:
        raise AssertionError("reading a missing file must fail")

    step("pandas by URL")
    sales = pd.DataFrame({"city": ["Oslo", "Rome"], "sold": [3, 5]})
    options = {"name": "demo"}
    sales.to_csv("chukmem://reports/sales.csv", index=False, storage_options=options)
    total = pd.read_csv("chukmem://reports/sales.csv", storage_options=options)["sold"].sum()
    print(f"   sold: {total}, from a CSV file of {fs.size('/reports/sales.csv')} bytes")
    assert total == 8

    print("\ndemo: all steps did what they should")


if __name__ == "__main__":
    main()
