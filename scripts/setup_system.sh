#!/usr/bin/env bash
# Make sure that the system tools the tests use are there. Root on a Debian-like machine: install what is missing.
# Anybody else: say in one line what to install, and go on; the tests that need it are skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

have() { command -v "$1" >/dev/null 2>&1; }
say() { printf 'setup: %s\n' "$*" >&2; }

packages=()
have git || packages+=(git)
for tool in zip unzip zstd; do
    have "$tool" || packages+=("$tool")
done
if [[ $(uname -s) == Linux ]]; then
    have fusermount3 || packages+=(fuse3)
    have bsdtar || packages+=(libarchive-tools)
    have mount.davfs || packages+=(davfs2)
    for tool in cadaver litmus rclone; do
        have "$tool" || packages+=("$tool")
    done
fi
# An existing environment has its Python already; looking for one takes a second.
if [[ ! -x ${VENV:-.venv}/bin/python && -z ${PYTHON:-} && -z $(scripts/pythons.sh) ]]; then
    packages+=(python3 python3-venv)
fi

apt_install() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -qq -y --no-install-recommends "$@" </dev/null >/dev/null 2>&1
}

if ((${#packages[@]})); then
    if ((EUID == 0)) && have apt-get; then
        say "installing ${packages[*]}"
        # The package lists of a fresh container are empty: fetch them only when the first attempt fails.
        apt_install "${packages[@]}" || { apt-get update -qq </dev/null >/dev/null 2>&1 && apt_install "${packages[@]}"; } ||
            say "could not install ${packages[*]}; the tests that need them are skipped"
    else
        say "please install ${packages[*]} (the tests that need them are skipped until then)"
    fi
fi

have node || say "no node: the tests that run JavaScript tools on a mount are skipped (install nodejs to have them)"
if [[ $(uname -s) == Linux && ! -e /dev/fuse ]]; then
    say "no /dev/fuse: the mount tests are skipped (in a container, add --device /dev/fuse --cap-add SYS_ADMIN)"
fi
