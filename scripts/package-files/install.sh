#!/usr/bin/env bash
# Installs Arbutus on Debian 12: its libraries by apt-get, the program into PREFIX/bin (default /usr/local).
set -euo pipefail
cd "$(dirname "$0")"
prefix=${PREFIX:-/usr/local}

fail() { printf 'install: %s\n' "$*" >&2; exit 1; }

command -v apt-get >/dev/null || fail "this system has no apt-get; this archive is made for Debian 12"
root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "run as root, or install sudo"
    root=(sudo)
fi
mapfile -t packages <debian-packages
missing=()
for package in "${packages[@]}"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    if [ "$status" != installed ]; then missing+=("$package"); fi
done
if [ ${#missing[@]} -gt 0 ]; then
    printf 'install: from Debian: %s\n' "${missing[*]}"
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q </dev/null
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "${missing[@]}" </dev/null
fi
"${root[@]}" install -D -m 755 arbutus "$prefix/bin/arbutus"
"${root[@]}" mkdir -p "$prefix/share/arbutus/web"
"${root[@]}" cp -r web/. "$prefix/share/arbutus/web/"
"$prefix/bin/arbutus" --help >/dev/null || fail "$prefix/bin/arbutus does not start; is this Debian 12?"
printf 'install: %s/bin/arbutus is ready\n' "$prefix"
