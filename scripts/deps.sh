#!/bin/bash
# deps.sh [build|run|demo|check]: brings in what is missing for that purpose.
# As root it installs packages; otherwise it says which command would. Without
# anything missing it is silent and quick. It changes nobody's configuration.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# What each purpose needs, and the packages that bring it. A need "x" is there
# when the function has_x succeeds.
BUILD="compiler pkgconfig libsystemd certificates rust"
RUN="$BUILD journald journalremote namespaces"
DEMO="$RUN python"
CHECK="$DEMO ext4 rustfmt clippy shellcheck valgrind pytest cplusplus strace"

# Without these a check is less complete, and says so.
SOFT="rustfmt|clippy|shellcheck|valgrind|pytest|cplusplus|strace"

declare -A DEBIAN=(
    [compiler]="gcc libc6-dev" [pkgconfig]="pkg-config" [libsystemd]="libsystemd-dev"
    [certificates]="ca-certificates" [journald]="systemd" [journalremote]="systemd-journal-remote"
    [namespaces]="util-linux mount" [python]="python3 python3-venv" [ext4]="e2fsprogs mount"
    [shellcheck]="shellcheck" [valgrind]="valgrind" [pytest]="python3-pytest" [cplusplus]="g++"
    [strace]="strace"
)
declare -A FEDORA=(
    [compiler]="gcc glibc-devel" [pkgconfig]="pkgconf-pkg-config" [libsystemd]="systemd-devel"
    [certificates]="ca-certificates" [journald]="systemd" [journalremote]="systemd-journal-remote"
    [namespaces]="util-linux" [python]="python3 python3-pip" [ext4]="e2fsprogs util-linux"
    [rust]="cargo rust" [rustfmt]="rustfmt" [clippy]="clippy" [shellcheck]="ShellCheck"
    [valgrind]="valgrind" [pytest]="python3-pytest" [cplusplus]="gcc-c++"
    [strace]="strace"
)

has_compiler() { have cc; }
has_pkgconfig() { have pkg-config; }
has_libsystemd() { pkg-config --exists libsystemd 2>/dev/null; }
has_certificates() {
    [ -n "${SSL_CERT_FILE:-}" ] || [ -s /etc/ssl/certs/ca-certificates.crt ] ||
        [ -s /etc/pki/tls/certs/ca-bundle.crt ] || [ -s /etc/ssl/cert.pem ]
}
has_rust() { use_rust; }
has_rustfmt() { use_rust && rustfmt --version >/dev/null 2>&1; }
has_clippy() { use_rust && cargo-clippy --version >/dev/null 2>&1; }
has_shellcheck() { have shellcheck; }
has_valgrind() { have valgrind; }
has_strace() { have strace; }
# python-tests.sh can fetch it with pip, too.
has_pytest() {
    local python
    python=$(find_python) && "$python" -c 'import pytest' 2>/dev/null
}
has_cplusplus() { have c++; }
has_journald() { have journalctl && systemd_helper systemd-journald >/dev/null; }
has_journalremote() { systemd_helper systemd-journal-remote >/dev/null; }
has_namespaces() { have unshare && have setpriv && have setsid && have mount; }
has_python() { find_python >/dev/null; }
has_ext4() { PATH=$PATH:/usr/sbin:/sbin have mkfs.ext4 && PATH=$PATH:/usr/sbin:/sbin have losetup; }

# missing NEED…: those of them that are not there.
missing() {
    local need
    for need in "$@"; do "has_$need" || printf '%s\n' "$need"; done
}

# --- Debian and its relatives -------------------------------------------------

apt_candidate() { apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: \(.*\)$/\1/p' | grep -v '(none)'; }

# The endings that Debian's Rust packages come with: none (Debian 13 on), "-web"
# (a current toolchain in the security updates of older releases), "-1.NN" (Ubuntu).
rust_flavours() {
    printf '%s\n' "" -web
    apt-cache pkgnames cargo-1. 2>/dev/null | sed -n 's/^cargo\(-1\.[0-9]*\)$/\1/p' | sort -Vr
}

# The first ending whose packages are new enough, as "=ENDING"; else nothing.
debian_rust_flavour() {
    local flavour version
    while read -r flavour; do
        version=$(apt_candidate "cargo$flavour") || continue
        version_at_least "${version%%[+~-]*}" "$(min_rust)" || continue
        printf '=%s\n' "$flavour"
        return 0
    done < <(rust_flavours)
}

# The same for the toolchain in use; nothing for one that no package brought, such
# as rustup's.
installed_rust_flavour() {
    dpkg -S "$(readlink -f "$(command -v cargo)")" 2>/dev/null | sed -n 's/^cargo\([^:]*\):.*/=\1/p' | head -n 1
}

debian_rust() {
    local flavour
    flavour=$(debian_rust_flavour)
    if [ -n "$flavour" ]; then
        printf '%s\n' "cargo${flavour#=}" "rustc${flavour#=}"
    elif apt_candidate rustup >/dev/null; then
        printf '%s\n' rustup
    else
        return 1
    fi
}

# debian_rust_tool rustfmt|clippy: the package that fits the toolchain. With a
# toolchain that no package brought there is none; make check says so.
debian_rust_tool() {
    local flavour
    if use_rust; then
        flavour=$(installed_rust_flavour) || true
    else
        flavour=$(debian_rust_flavour)
    fi
    [ -n "$flavour" ] || return 0
    case $1 in
    rustfmt) printf '%s\n' "rustfmt${flavour#=}" ;;
    clippy) printf '%s\n' "rust${flavour#=}-clippy" ;;
    esac
}

debian_packages() {
    case $1 in
    rust) debian_rust || true ;;
    rustfmt | clippy) debian_rust_tool "$1" ;;
    *) printf '%s\n' "${DEBIAN[$1]}" ;;
    esac
}

debian_install() {
    local options=(-y -qq --no-install-recommends -o Dpkg::Use-Pty=0)
    DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" install "$@" >"$LOG" 2>&1 && return 0
    # The lists may name versions that the mirror no longer has.
    apt-get -qq update >>"$LOG" 2>&1 || return 1
    DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" install "$@" >>"$LOG" 2>&1
}

# Without package lists, no package is known.
knows_packages() { [ "$(distribution)" != debian ] || apt_candidate libsystemd-dev >/dev/null; }

# Old lists may not name a toolchain that is new enough.
debian_prepare() {
    if knows_packages && { has_rust || debian_rust >/dev/null; }; then return 0; fi
    say "Fetching the package lists (apt-get update)."
    apt-get -qq update >"$LOG" 2>&1 || fail_install "apt-get update"
}

# --- Fedora and its relatives -------------------------------------------------

# A toolchain that no package brought, such as rustup's, has its own rustfmt and clippy.
fedora_packages() {
    if [[ $1 == rustfmt || $1 == clippy ]] && use_rust && ! rpm -q --quiet cargo; then
        return 0
    fi
    printf '%s\n' "${FEDORA[$1]}"
}
fedora_install() { dnf install -y -q --setopt=install_weak_deps=False "$@" >"$LOG" 2>&1; }
fedora_prepare() { :; }

# --- Both ---------------------------------------------------------------------

fail_install() {
    tail -n 20 "$LOG" >&2
    die "\"$1\" failed; its last lines stand above. Please put that right and try again."
}

RUST_TEXT="Rust $(min_rust) or later is needed, and this distribution has no package of it. Please install it with rustup:
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"

distribution() {
    if have apt-get; then
        say debian
    elif have dnf; then
        say fedora
    fi
}

# Packages for the needs given, each once, on one line.
packages_for() {
    local need
    for need in "$@"; do "$(distribution)_packages" "$need"; done | tr ' ' '\n' | sort -u | xargs
}

install_command() {
    case $(distribution) in
    debian) say "apt-get install -y --no-install-recommends" ;;
    fedora) say "dnf install -y" ;;
    esac
}

# The advice for users who are not root, or whose system is unknown.
ask_the_user() {
    local packages=""
    say "Peripety needs what this machine lacks: $*." >&2
    if [ -z "$(distribution)" ]; then
        die "Please install with this system's package manager: a C compiler, pkg-config, the libsystemd headers, systemd-journald,
systemd-journal-remote, util-linux, python3 with venv, and Rust $(min_rust) or later with rustfmt and clippy."
    fi
    knows_packages || die "Please run as root: apt-get update && make deps    (the names of the packages are unknown until the package lists have been downloaded)"
    packages=$(packages_for "$@")
    [ -z "$packages" ] || say "Please run as root: $(install_command) $packages" >&2
    [[ " $* " != *" rust "* ]] || rust_is_packaged || say "$RUST_TEXT" >&2
    exit 1
}

rust_is_packaged() { [ "$(distribution)" != debian ] || debian_rust >/dev/null; }

# The rustup of a distribution comes without a toolchain.
finish_rustup() {
    use_rust || ! have rustup || rustup toolchain install stable --profile default --no-self-update >"$LOG" 2>&1 ||
        fail_install "rustup toolchain install stable"
}

# install_for NEED…: fails when the package manager does.
install_for() {
    local packages
    packages=$(packages_for "$@")
    [ -n "$packages" ] || return 0
    say "Installing: $packages"
    # shellcheck disable=SC2086 # a list of words
    "$(distribution)_install" $packages
}

# Brings in what LACKING names; only what is needed in any case may not fail.
install_lacking() {
    local need soft=()
    "$(distribution)_prepare"
    for need in "${LACKING[@]}"; do [[ ! $need =~ ^($SOFT)$ ]] || soft+=("$need"); done
    look_for_required "$@"
    [ "${#LACKING[@]}" = 0 ] || install_for "${LACKING[@]}" || fail_install "$(install_command) $(packages_for "${LACKING[@]}")"
    finish_rustup
    for need in "${soft[@]}"; do install_for "$need" || say "It could not be installed; make check will skip that step."; done
}

# What is missing for the needs given, into the array LACKING.
look_for() { mapfile -t LACKING < <(missing "$@"); }

# The same, without what a check can do without.
look_for_required() { mapfile -t LACKING < <(missing "$@" | grep -vxE "$SOFT"); }

main() {
    local needs
    case ${1:-run} in
    build) read -ra needs <<<"$BUILD" ;;
    run) read -ra needs <<<"$RUN" ;;
    demo) read -ra needs <<<"$DEMO" ;;
    check) read -ra needs <<<"$CHECK" ;;
    *) die "Usage: deps.sh [build|run|demo|check]" ;;
    esac
    look_for "${needs[@]}"
    [ "${#LACKING[@]}" != 0 ] || return 0
    if [ "$(id -u)" != 0 ] || [ -z "$(distribution)" ]; then
        look_for_required "${needs[@]}"
        [ "${#LACKING[@]}" = 0 ] || ask_the_user "${LACKING[@]}"
        return 0
    fi
    LOG=$(mktemp)
    trap 'rm -f "$LOG"' EXIT
    install_lacking "${needs[@]}"
    look_for_required "${needs[@]}"
    [[ " ${LACKING[*]} " != *" rust "* ]] || die "$RUST_TEXT"
    [ "${#LACKING[@]}" = 0 ] || die "Still missing after the installation: ${LACKING[*]}. Please install them by hand."
}

main "$@"
