# Sourced by the scripts beside it: a virtual environment with reconcile in it. POSIX sh.
# shellcheck shell=sh

export LC_ALL=C.UTF-8 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV || true

say() { printf '== %s\n' "$*"; }
die() { printf '%s: %s\n' "$0" "$*" >&2; exit 64; }

# install_debian PACKAGE WHY: with apt-get, as root only; otherwise say what is missing and stop.
install_debian() {
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
        die "$2: install the package $1"
    fi
    say "installing Debian package $1 ($2)"
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$1" >/dev/null
}

# need_sshd: OpenSSH's server and client, which the tests of `ssh://` start on 127.0.0.1.
need_sshd() {
    if ! command -v sshd >/dev/null 2>&1 && [ ! -x /usr/sbin/sshd ]; then
        install_debian openssh-server "the tests start their own SSH server"
    fi
    command -v ssh-keyscan >/dev/null 2>&1 || install_debian openssh-client "\`ssh\` is missing"
}

# need_readers: what shows man pages and what completes commands, for the tests of both. As root
# they are installed; else the tests that need them say that they were left out.
need_readers() {
    for pair in man:man-db groff:groff-base zsh:zsh fish:fish; do
        command -v "${pair%%:*}" >/dev/null 2>&1 && continue
        [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1 ||
            install_debian "${pair#*:}" "\`${pair%%:*}\` is missing"
    done
}

# need_disks: file systems that tests mount: exFAT and NTFS through FUSE, access lists, what sees
# a program's calls, a second hasher, and a clock that can be wrong. As root they are installed;
# an ordinary user mounts nothing, and the tests say so.
need_disks() {
    for pair in mount.exfat-fuse:exfat-fuse mkfs.exfat:exfatprogs ntfs-3g:ntfs-3g \
        fusermount3:fuse3 setfattr:attr setfacl:acl strace:strace b3sum:b3sum faketime:faketime; do
        command -v "${pair%%:*}" >/dev/null 2>&1 && continue
        [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1 ||
            install_debian "${pair#*:}" "\`${pair%%:*}\` is missing"
    done
}

# find_python: the first interpreter that is new enough.
find_python() {
    for name in python3 python3.11 python3.12 python3.13 python3.14; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            echo "$name"
            return 0
        fi
    done
    return 1
}

# make_venv DIRECTORY: an environment there, unless a working one is.
make_venv() {
    "$1/bin/python" -c 'import pip' >/dev/null 2>&1 && return 0
    if ! python=$(find_python); then
        install_debian python3 "Python 3.11 or newer is needed"
        python=$(find_python) || die "Python 3.11 or newer is needed"
    fi
    say "creating $1 with $("$python" --version)"
    rm -rf "$1"
    if ! "$python" -m venv "$1" >/dev/null 2>&1; then
        rm -rf "$1"
        install_debian python3-venv "\`$python -m venv\` does not work"
        "$python" -m venv "$1"
    fi
}

# install_into DIRECTORY CHECKOUT EXTRAS: the checkout, editable; again only when pyproject.toml changed.
install_into() {
    stamp="$(cksum <"$2/pyproject.toml") $2$3"
    [ "$(cat "$1/installed" 2>/dev/null)" = "$stamp" ] && return 0
    say "installing reconcile into $1"
    "$1/bin/python" -m pip install -q -e "$2$3"
    printf '%s' "$stamp" >"$1/installed"
}
