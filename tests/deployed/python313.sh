#!/usr/bin/env bash
# Prints the path of a Python 3.13, the version that is deployed. In this order: SPILLWAY_PYTHON313, one on the PATH, one
# unpacked before, one unpacked now from the packages of Debian 13. Nothing is installed and no root is needed: apt
# resolves and fetches into a folder of its own, from the mirror that it is configured with, and checks signatures.
set -euo pipefail
cache="${SPILLWAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/spillway}"
root="$cache/debian-13"
unpacked="$root/usr/bin/python3.13"
suite=trixie

fits() { [ -n "${1:-}" ] && "$1" -c 'import ssl, sqlite3, venv, sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; }
give_up() { echo "No Python 3.13: $1 Install one, or name it in SPILLWAY_PYTHON313." >&2; exit 75; }

for candidate in "${SPILLWAY_PYTHON313:-}" "$(command -v python3.13 || true)" "$unpacked"; do
    if fits "$candidate"; then echo "$candidate"; exit 0; fi
done

for tool in apt-get dpkg-deb flock; do
    command -v "$tool" > /dev/null || give_up "this machine has no $tool to get Debian's packages with."
done
# shellcheck source=/dev/null
[ "$(. /etc/os-release; echo "${ID:-}")" = debian ] || give_up "apt is not configured with a mirror of Debian here."
mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk '$3 == "main" && $2 !~ /-/ { print $1; exit }')
[ -n "$mirror" ] || give_up "apt is configured with no mirror of Debian."

mkdir -p "$cache"
exec 9> "$cache/debian-13.lock"
flock 9
# Another run may have unpacked it meanwhile.
if fits "$unpacked"; then echo "$unpacked"; exit 0; fi
echo "Unpacking Python 3.13 from Debian 13 into $root ..." >&2
work=$(mktemp -d "${TMPDIR:-/tmp}/debian-13.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists,archives}/partial "$work/root"
: > "$work/status"
echo "deb $mirror $suite main" > "$work/sources.list"
options=(
    -o "Dir::State=$work" -o "Dir::State::lists=$work/lists" -o "Dir::State::status=$work/status"
    -o "Dir::Cache=$work" -o "Dir::Cache::archives=$work/archives"
    -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o APT::Install-Recommends=false -o Acquire::Languages=none -o "APT::Sandbox::User=$(id -un)"
    -o Acquire::Retries=2 -o Acquire::http::Timeout=30 -o APT::Update::Error-Mode=any -qq
)
apt-get "${options[@]}" update >&2 || give_up "apt could not read the package lists of Debian 13."
# libstdc++ is for the libraries in wheels; patchelf ties the interpreter to the libraries that came with it.
apt-get "${options[@]}" install --yes --download-only python3.13 libstdc++6 patchelf >&2 ||
    give_up "apt could not fetch the packages of Debian 13."
for package in "$work"/archives/*.deb; do dpkg-deb --extract "$package" "$work/root"; done
rm -rf "$root"
mv "$work/root" "$root"

# The system's libc is older than Debian 13's, so interpreter and libraries come from the folder. In this order: with the
# interpreter set first, patchelf 0.18 breaks the file.
loader=$(find "$root/usr/lib" -maxdepth 2 -name 'ld-linux-*' | head -1)
libraries=$(dirname "$loader")
patch() { "$loader" --library-path "$libraries" "$root/usr/bin/patchelf" "$@" "$unpacked"; }
patch --force-rpath --set-rpath "$libraries"
patch --set-interpreter "$loader"
fits "$unpacked" || give_up "the unpacked interpreter does not run on this machine."
echo "$unpacked"
