#!/usr/bin/env bash
# Print every CPython >= 3.10 of this machine that can run the project, newest first: "3.13<TAB>/path/to/python3.13".
# One line for each minor version. Being on PATH is not enough, since a pyenv shim may exist and fail: each candidate is run.
set -euo pipefail

newest=14
oldest=10
probe='
import sys
import ctypes, ensurepip, sqlite3, ssl, venv
final = sys.version_info.releaselevel == "final"
asked = sys.version_info[:2] == (3, int(sys.argv[1]))
sys.exit(not (sys.implementation.name == "cpython" and final and asked))
'

usable() { "$1" -c "$probe" "$2" </dev/null >/dev/null 2>&1; }

candidates() {
    local minor=$1
    type -ap "python3.$minor" || true
    ls -d "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3."$minor"*/bin/python3."$minor" 2>/dev/null || true
    type -ap python3 || true
}

for ((minor = newest; minor >= oldest; minor--)); do
    while IFS= read -r python; do
        if usable "$python" "$minor"; then
            # Not the pyenv shim and not the python of an active environment, but the interpreter behind them.
            printf '3.%s\t%s\n' "$minor" "$("$python" -c 'import sys; print(sys._base_executable)')"
            break
        fi
    done < <(candidates "$minor")
done
