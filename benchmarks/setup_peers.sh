#!/usr/bin/env bash
# Make one virtual environment per peer, each with the versions that are compared.
#
#   benchmarks/setup_peers.sh [FOLDER [PYTHON]]
#
# FOLDER is $MPNET_BENCH_ENVS or, where that is not set, benchmarks/.envs; PYTHON is python3.11.
# An environment that is there already is left alone. One that can't be made is said so at the
# end, and the benchmark then runs without that peer.
set -u
folder=${1:-${MPNET_BENCH_ENVS:-$(dirname "$0")/.envs}}
python=${2:-python3.11}
mkdir -p "$folder"
missing=()

make() {
    local name=$1
    shift
    local env="$folder/$name"
    if [ -e "$env/ready" ]; then
        echo "$name: there already"
        return
    fi
    echo "$name: $*"
    rm -rf "$env"
    if "$python" -m venv "$env" && "$env/bin/pip" install -q --disable-pip-version-check "$@"; then
        touch "$env/ready"
    else
        missing+=("$name")
    fi
}

make ldpc "ldpc==2.4.1" "numpy>=2,<2.4" "scipy<1.17"
make factorgraph "factorgraph==0.0.3" "numpy<2"
make pyagrum "pyagrum==3.3.1" "numpy>=2,<2.4"
make propflow "propflow==3.1.0"
make inferlo "inferlo==0.3.1"
make pgmax "pgmax==0.6.1" "jax==0.4.38" "jaxlib==0.4.38" "numpy>=1.26,<2.3" "scipy<1.15"

if [ ${#missing[@]} -gt 0 ]; then
    echo "could not be installed: ${missing[*]}" >&2
    exit 1
fi
