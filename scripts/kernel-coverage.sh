#!/bin/bash
# kernel-coverage.sh: which of a kernel's storage messages the built-in rules recognise.
#
#     make kernel-coverage SOURCE=linux-source-6.12          a package of Debian, fetched with apt-get
#     make kernel-coverage SOURCE=linux-source-6.12.tar.xz   what such a package contains, or the package itself (.deb)
#     make kernel-coverage SOURCE=~/linux                    the sources in a directory, such as a git tree
#     make kernel-coverage OLD=linux-source-6.1 NEW=linux-source-6.12    what a newer kernel changes: rules to write
#
# SAMPLE=200 SEED=1 prints formats that are left out, for review; LIST=open lists formats (the program names the other lists);
# BLESS=1 takes over what is recognised, so that a later loss is a failure. Exit status 1: see docs/coverage.md.
# Archives are unpacked below .cache/kernels, as far as they are needed.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

CACHE=.cache/kernels

tool() { scripts/cargo.sh run --quiet --locked -p peripety-kernel-coverage -- "$@"; }

# unpacked ARCHIVE: the directory with what is needed of a tar archive.
unpacked() {
    local archive=$1 name directory top places
    name=$(basename "$archive")
    directory=$CACHE/${name%.tar*}
    if [ ! -e "$directory/.complete" ] || [ "$archive" -nt "$directory/.complete" ]; then
        rm -rf "$directory"
        mkdir -p "$directory"
        # The first member is the directory that contains all others.
        top=$(tar -tf "$archive" 2>/dev/null | head -n 1) || true
        top=${top%%/*}
        places=$(tool --directories) || return
        # A kernel lacks some of them.
        # shellcheck disable=SC2086 # a list of words
        printf '%s\n' $places | sed "s|^|$top/|" |
            tar -xf "$archive" -C "$directory" --strip-components=1 --files-from=- 2>"$directory/.errors" || true
        [ -e "$directory/Makefile" ] || die "$archive contains no sources of a kernel: $(head -n 1 "$directory/.errors")"
        touch "$directory/.complete"
    fi
    printf '%s\n' "$directory"
}

# archive_in PACKAGE: the tar archive that a .deb brings.
archive_in() {
    local package=$1 member archive
    have dpkg-deb || die "dpkg-deb is needed to unpack $package. Please unpack it elsewhere and give the .tar.xz in it."
    member=$(dpkg-deb --fsys-tarfile "$package" | tar -tf - | grep -m 1 '/linux-source-[^/]*\.tar\.[a-z]*$') || true
    [ -n "$member" ] || die "$package contains no archive linux-source-….tar.xz"
    archive=$CACHE/$(basename "$member")
    [ "$archive" -nt "$package" ] || dpkg-deb --fsys-tarfile "$package" | tar -xOf - "$member" >"$archive"
    printf '%s\n' "$archive"
}

# fetched NAME: the .deb of a package.
fetched() {
    local name=$1 found
    found=$(find "$CACHE" -maxdepth 1 -name "${name}_*.deb" | sort -V | tail -n 1)
    if [ -z "$found" ]; then
        have apt-get || die "apt-get is needed to fetch $name. Please give the directory of a kernel's sources instead."
        (cd "$CACHE" && apt-get -qq download "$name" >&2) ||
            die "apt-get cannot fetch $name. Please look for its name with: apt-cache search linux-source"
        found=$(find "$CACHE" -maxdepth 1 -name "${name}_*.deb" | sort -V | tail -n 1)
    fi
    printf '%s\n' "$found"
}

# directory_of SOURCE: the directory with the sources.
directory_of() {
    local source=$1 package archive
    mkdir -p "$CACHE"
    case $source in
    *.deb) archive=$(archive_in "$source") && unpacked "$archive" ;;
    *.tar | *.tar.*) unpacked "$source" ;;
    *)
        if [ -d "$source" ]; then
            printf '%s\n' "$source"
        elif [[ $source =~ ^linux-source-[0-9.]+$ ]]; then
            package=$(fetched "$source") && archive=$(archive_in "$package") && unpacked "$archive"
        else
            die "There is no directory $source. Please give a directory, an archive, or a package such as linux-source-6.12."
        fi
        ;;
    esac
}

options=()
[ -z "${SAMPLE:-}" ] || options+=(--sample "$SAMPLE")
[ -z "${SEED:-}" ] || [ -z "${SAMPLE:-}" ] || options+=(--seed "$SEED")
[ -z "${LIST:-}" ] || options+=(--list "$LIST")
[ -z "${BLESS:-}" ] || options+=(--bless)
if [ -n "${OLD:-}" ] && [ -n "${NEW:-}" ]; then
    old=$(directory_of "$OLD") && new=$(directory_of "$NEW")
    tool --old "$old" "$new"
elif [ -n "${SOURCE:-}" ]; then
    directory=$(directory_of "$SOURCE")
    tool "${options[@]}" "$directory"
else
    die "Please say which kernel: SOURCE=linux-source-6.12, or OLD= and NEW=. The head of scripts/kernel-coverage.sh explains them."
fi
