#!/usr/bin/env bash
# Prints the folder of a virtual environment with some requirements, made when it is not there yet.
# Arguments: the interpreter, a name, then what pip installs (requirement files or pinned packages).
set -euo pipefail
python=$1 name=$2
shift 2
cache="${SPILLWAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/spillway}"
project="$(cd "$(dirname "$0")/.." && pwd)"
cd "$project"

arguments=()
for wanted in "$@"; do
    case $wanted in *.txt) arguments+=(-r "$wanted") ;; *) arguments+=("$wanted") ;; esac
done
stamp=$({ "$python" -VV; echo "$python" "$@"; cat requirements*.txt; } | cksum | cut -d' ' -f1)
folder="$cache/environments/$name-$stamp"
mkdir -p "$cache/environments"
# Two runs at the same time make it once.
exec 9> "$cache/environments/lock"
if command -v flock > /dev/null; then flock 9; fi
if [ ! -e "$folder/.complete" ]; then
    echo "Installing what $name needs into $folder ..." >&2
    # Environments of earlier requirements, unless another checkout may be using them.
    find "$cache/environments" -maxdepth 1 -name "$name-*" -mtime +7 -exec rm -rf {} +
    rm -rf "$folder"
    "$python" -m venv --without-pip "$folder"
    # Debian's Python comes without pip; the project's own can install for another interpreter.
    .venv/bin/python -m pip --python "$folder/bin/python" install --quiet --disable-pip-version-check "${arguments[@]}" >&2
    touch "$folder/.complete"
fi
echo "$folder"
