#!/bin/sh
# Install the Debian packages named, or say in words what is missing.
#   debian_packages.sh PACKAGE...
#   debian_packages.sh --wanted PACKAGE...  the same, but go on without them
#   debian_packages.sh --python PYTHON      what that Python needs to make a virtual environment
set -eu

failure=1
if [ "${1:-}" = --wanted ]; then
    failure=0
    shift
fi

if [ "${1:-}" = --python ]; then
    if ! "$2" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        echo "Python 3.11 or newer is needed; \"$2\" is not. Say which one to use: make PYTHON=/path/to/python3" >&2
        exit 1
    fi
    "$2" -c 'import ensurepip, venv' 2>/dev/null && exit 0
    set -- "python$("$2" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
fi

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "This is no Debian system. If something is missing below, install what your system calls: $*" >&2
    exit 0
fi

missing=""
for package in "$@"; do
    case "$(dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null)" in
        "install ok installed") ;;
        *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

as_root=""
if [ "$(id -u)" != 0 ]; then
    as_root=sudo
    if ! command -v sudo >/dev/null || ! { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
        echo "These Debian packages are missing, and you may not install them here:$missing" >&2
        echo "Ask an administrator for: apt-get install --no-install-recommends$missing" >&2
        exit $failure
    fi
fi
echo "Installing Debian packages:$missing (this takes a few minutes)"
export DEBIAN_FRONTEND=noninteractive
if ! { $as_root apt-get update && $as_root apt-get install -y --no-install-recommends $missing; }; then
    echo "The Debian packages could not be installed:$missing" >&2
    echo "Install them yourself, then run make again." >&2
    exit $failure
fi
