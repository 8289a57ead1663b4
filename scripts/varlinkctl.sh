#!/bin/bash
# varlinkctl.sh: prints the path of a varlinkctl that works (it comes with systemd
# 255 and later). On an older Debian it takes the one of Debian 13 from this
# machine's own mirror, unpacked under .cache with the libraries it needs, and
# installs nothing. Exits 1 with the reason when there cannot be one. Works
# without root.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

DONOR=trixie
CACHE=$PWD/.cache/varlinkctl

system_varlinkctl() {
    have varlinkctl && varlinkctl --version >/dev/null 2>&1 && command -v varlinkctl
}

# The address of the archive that this machine takes its own release from.
debian_mirror() {
    # shellcheck disable=SC2016 # apt fills the fields in
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        awk -v release="$1" '$2 == release && $3 == "main" {print $1; exit}'
}

# An apt of its own: nothing of the system's is read but keys and network
# settings, and nothing is written outside of $WORK.
private_apt() {
    local tool=$1
    shift
    "$tool" -q -o Dir::State="$WORK/apt" -o Dir::State::Lists="$WORK/apt/lists" \
        -o Dir::State::Status="$WORK/apt/status" -o Dir::Cache="$WORK/apt/cache" \
        -o Dir::Etc::SourceList="$WORK/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::Etc::PreferencesParts=/dev/null -o Dir::Etc::Preferences=/dev/null \
        -o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none "$@"
}

prepare_apt() {
    local mirror keys=/usr/share/keyrings/debian-archive-keyring.gpg signed=""
    mirror=$(debian_mirror "$VERSION_CODENAME")
    [ -n "$mirror" ] || die "apt on this machine has no archive of Debian $VERSION_CODENAME configured."
    mkdir -p "$WORK"/apt/lists/partial "$WORK"/apt/cache/archives/partial
    : >"$WORK/apt/status"
    [ ! -r "$keys" ] || signed="[signed-by=$keys] "
    say "deb $signed$mirror $DONOR main" >"$WORK/apt/sources.list"
}

# The packages: systemd itself and every library that it needs.
wanted_packages() {
    private_apt apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
        --no-replaces --no-enhances systemd | grep -E '^(lib|zlib)[^<>]*$' | sort -u
    say systemd
}

download() {
    local packages
    private_apt apt-get update || return 1
    mapfile -t packages < <(wanted_packages)
    [ "${#packages[@]}" -gt 5 ] || return 1
    mkdir "$WORK/debs"
    cd "$WORK/debs"
    private_apt apt-get download "${packages[@]}"
}

# The program runs with the loader and the libraries of its own release.
write_wrapper() {
    cat >"$WORK/varlinkctl" <<'WRAPPER'
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
for loader in "$here"/root/usr/lib/*/ld-linux*.so.*; do
    libraries=${loader%/*}
    exec "$loader" --library-path "$libraries:$libraries/systemd" "$here/root/usr/bin/varlinkctl" "$@"
done
WRAPPER
    chmod +x "$WORK/varlinkctl"
}

unpack() {
    local package
    mkdir "$WORK/root"
    for package in "$WORK"/debs/*.deb; do dpkg -x "$package" "$WORK/root" || return 1; done
    rm -rf "$WORK/debs" "$WORK/apt"
    # Of systemd only the program and its libraries are wanted.
    find "$WORK/root" -mindepth 1 -maxdepth 1 ! -name usr -exec rm -rf {} +
    find "$WORK/root/usr" -mindepth 1 -maxdepth 1 ! -name lib ! -name bin -exec rm -rf {} +
}

fetch_varlinkctl() {
    # shellcheck source=/dev/null
    source /etc/os-release
    [[ ${ID:-} == debian ]] || die "varlinkctl comes with systemd 255 and later, which this system does not have."
    mkdir -p "$PWD/.cache"
    WORK=$(mktemp -d "$PWD/.cache/varlinkctl.XXXXXX")
    trap 'rm -rf "$WORK"' EXIT
    prepare_apt
    (download) >"$WORK/log" 2>&1 ||
        die "varlinkctl of Debian $DONOR could not be downloaded: $(grep -E '^[EW]:' "$WORK/log" | tail -n 1)"
    unpack || die "The packages of Debian $DONOR could not be unpacked under $WORK."
    write_wrapper
    "$WORK/varlinkctl" --version >/dev/null || die "varlinkctl of Debian $DONOR does not run on this machine."
    rm -rf "$CACHE" "$WORK/log"
    mv "$WORK" "$CACHE"
}

main() {
    system_varlinkctl && return 0
    "$CACHE/varlinkctl" --version >/dev/null 2>&1 || fetch_varlinkctl
    say "$CACHE/varlinkctl"
}

main
