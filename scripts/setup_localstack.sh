#!/usr/bin/env bash
# Make the environment of the second S3 server of the tests, $VENV/localstack, which needs a CPython of its own version.
# Where there is none, or the packages cannot be had, say so and go on; the tests that need it are skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

place=${VENV:-.venv}/localstack
oldest=3.13

say() { printf 'setup: %s\n' "$*" >&2; }

IFS=$'\t' read -r version python < <(scripts/pythons.sh)
if [[ $(printf '%s\n' "$oldest" "$version" | sort --version-sort | head -n 1) != "$oldest" ]]; then
    say "no CPython >= $oldest for LocalStack: the tests that need a second S3 server are skipped"
    exit 0
fi

say "installing LocalStack into $place"
"$python" -m venv --without-pip --clear "$place"
if ! "${VENV:-.venv}/bin/python" -m pip --python "$place/bin/python" install --quiet --disable-pip-version-check \
    --no-compile --requirement tests/s3/localstack.txt </dev/null; then
    rm -rf "$place"
    say "could not install LocalStack; the tests that need a second S3 server are skipped"
fi
