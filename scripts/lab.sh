#!/bin/bash
# lab.sh [shell]: runs the scenarios of tests/lab in a virtual machine and judges what the daemon reports there; or
# opens a shell in it. tests/lab/README.md explains it. As root, on Debian or a relative of it.
#
# Environment:
#   SCENARIO   names of scenarios, separated by blanks (default: all)
#   ROUND      short: the short round
#   RECORD     1: record uevents and device trees, too
#   KEEP       1: leave the VM running
#   LAB        working directory (default /var/tmp/peripety-lab), 4 GB
#   PROGRAMS   directory with built programs; without it they are built first
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

export LAB=${LAB:-/var/tmp/peripety-lab} VM=${VM:-vm0}
IMAGE=$LAB/img/trixie
PACKAGES=(qemu-system-x86 mmdebstrap e2fsprogs cpio xz-utils zstd python3)
# Older ones crash now and then when they emulate many processors.
MIN_QEMU=8.0
# Of the guest, beside what tests/lab/build-image.sh installs anyway.
GUEST_PACKAGES=nftables,nfs-kernel-server,nfs-common,lldpad,fcoe-utils

check_host() {
    [ "$(id -u)" = 0 ] || die "The lab makes a Debian system in a directory, which needs root. Please run make lab as root."
    have apt-get || die "The lab runs on Debian and its relatives: it installs qemu and mmdebstrap with apt-get."
}

has_package() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }
qemu_version() { qemu-system-x86_64 --version 2>/dev/null | sed -n 's/^QEMU emulator version \([0-9.]*\).*/\1/p'; }

apt_install() {
    say "Installing: $*"
    DEBIAN_FRONTEND=noninteractive apt-get -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 install "$@" >"$LAB/apt.log" 2>&1
}

# The suite's own qemu where it is new enough, else the one of the backports.
install_packages() {
    local package lacking=()
    for package in "${PACKAGES[@]}"; do has_package "$package" || lacking+=("$package"); done
    [ "${#lacking[@]}" = 0 ] || apt_install "${lacking[@]}" || { apt-get -qq update && apt_install "${lacking[@]}"; } ||
        die "$(tail -n 5 "$LAB/apt.log")
apt-get could not install ${lacking[*]}. Please put that right and try again."
    version_at_least "$(qemu_version)" "$MIN_QEMU" && return 0
    apt_install -t "$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)-backports" qemu-system-x86 ||
        die "qemu $(qemu_version) is too old. Please add this release's backports to the sources of apt, and try again."
}

stamp_of() { sha256sum "$@" | sha256sum | cut -d ' ' -f 1; }
is_stamped() { [ "$(cat "$1" 2>/dev/null)" = "$2" ]; }

# The guest's system, made anew when what it is made from changed.
build_image() {
    local stamp
    stamp=$({ cat tests/lab/build-image.sh tests/lab/guest/agent.py; say "$GUEST_PACKAGES"; } | sha256sum | cut -d ' ' -f 1)
    is_stamped "$IMAGE/stamp" "$stamp" && [ -e "$IMAGE/root.img" ] && return 0
    say "Building the guest's image in $IMAGE (some minutes; the log is $LAB/image.log)."
    rm -f "$IMAGE/stamp" "$IMAGE/stamp-programs"
    EXTRA=$GUEST_PACKAGES SG3_RULES=0 tests/lab/build-image.sh >"$LAB/image.log" 2>&1 ||
        die "$(tail -n 5 "$LAB/image.log")
The image could not be built; the whole log is $LAB/image.log."
    say "$stamp" >"$IMAGE/stamp"
}

build_programs() {
    [ -z "${PROGRAMS:-}" ] || return 0
    scripts/deps.sh build
    scripts/cargo.sh build --release --workspace --locked
    PROGRAMS=$(target_dir)/release
    export PROGRAMS
}

# Installs the project in the image as a person would: make install, users, catalog, units enabled.
install_programs() {
    local stamp root=$IMAGE/rootfs
    stamp=$(stamp_of "$PROGRAMS/peripetyd" "$PROGRAMS/prpt" scripts/install.sh systemd/* config/*)
    is_stamped "$IMAGE/stamp-programs" "$stamp" && return 0
    say "Installing Peripety in the image."
    rm -f "$root/etc/peripetyd.conf"
    make --no-print-directory install DESTDIR="$root" prefix=/usr PROGRAMS="$PROGRAMS" >"$LAB/install.log"
    chroot "$root" sh -ec 'ldconfig; systemd-sysusers; journalctl --update-catalog' >>"$LAB/install.log" 2>&1
    systemctl --root="$root" enable peripetyd.socket peripetyd.service >>"$LAB/install.log" 2>&1
    EXTRA=$GUEST_PACKAGES SG3_RULES=0 REUSE=1 tests/lab/build-image.sh >"$LAB/image.log" 2>&1 || die "$(tail -n 5 "$LAB/image.log")"
    say "$stamp" >"$IMAGE/stamp-programs"
}

run_lab() {
    local options=(--out "$(target_dir)/lab")
    [ -z "${ROUND:-}" ] || options+=(--round "$ROUND")
    [ -z "${RECORD:-}" ] || options+=(--record)
    [ -z "${KEEP:-}" ] || options+=(--keep)
    # shellcheck disable=SC2086 # a list of names
    exec python3 tests/lab/lab.py "${options[@]}" ${SCENARIO:-}
}

open_shell() {
    tests/lab/labctl.py wait 2 2>/dev/null || MEM=${MEM:-3072} tests/lab/boot.sh start "${PROFILE:-base}"
    tests/lab/labctl.py shell
    say "The VM still runs; tests/lab/boot.sh stop ends it."
}

check_host
mkdir -p "$LAB"
install_packages
build_programs
build_image
install_programs
case ${1:-} in
'') run_lab ;;
shell) open_shell ;;
*) die "Usage: lab.sh [shell]" ;;
esac
