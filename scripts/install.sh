#!/bin/bash
# install.sh install | install-library | uninstall | list: puts what was built into a file system.
# The Makefile's targets install and uninstall call it. It needs root only where
# the directories do, starts nothing, and changes nothing else on the machine.
# install-library puts only libperipety there, with what C programs need of it.
#
# Environment:
#   DESTDIR     directory that stands for "/" (default: none)
#   prefix      (default: /usr/local)
#   bindir      prpt (default: $prefix/bin)
#   sbindir     peripetyd (default: $prefix/sbin)
#   libdir      units, users, catalog (default: $prefix/lib; systemd looks in no other lib)
#   clibdir     libperipety (default: $libdir; where the linker looks on this distribution,
#               such as $prefix/lib64 or $prefix/lib/x86_64-linux-gnu)
#   includedir  its header (default: $prefix/include)
#   datadir     interface, documents, manual pages (default: $prefix/share)
#   sysconfdir  (default: /etc; peripetyd reads no other)
#   PROGRAMS    directory with built programs and libraries; without it they are built first
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

DESTDIR=${DESTDIR:-}
prefix=${prefix:-/usr/local}
bindir=${bindir:-$prefix/bin}
sbindir=${sbindir:-$prefix/sbin}
libdir=${libdir:-$prefix/lib}
clibdir=${clibdir:-$libdir}
includedir=${includedir:-$prefix/include}
datadir=${datadir:-$prefix/share}
sysconfdir=${sysconfdir:-/etc}
docdir=$datadir/doc/peripety
PROGRAMS=${PROGRAMS:-}

# The number in the name of the shared library: see blkinfo/c/build.rs.
SONAME=libperipety.so.0

# The library: mode, source, target. "@" is the directory of the programs; a "link"
# has what it holds as its source.
library_files() {
    cat <<LIST
755 @/libperipety.so                $clibdir/$SONAME
link $SONAME                        $clibdir/libperipety.so
644 @/libperipety.a                 $clibdir/libperipety.a
644 blkinfo/c/peripety.pc.in        $clibdir/pkgconfig/peripety.pc
644 blkinfo/c/include/peripety.h    $includedir/peripety.h
644 docs/libperipety.3              $datadir/man/man3/libperipety.3
LIST
}

# Every file but the configuration.
files() {
    library_files
    cat <<LIST
755 @/peripetyd                     $sbindir/peripetyd
755 @/prpt                          $bindir/prpt
644 systemd/peripetyd.service       $libdir/systemd/system/peripetyd.service
644 systemd/peripetyd.socket        $libdir/systemd/system/peripetyd.socket
644 systemd/peripety.catalog        $libdir/systemd/catalog/peripety.catalog
644 systemd/peripety.sysusers       $libdir/sysusers.d/peripety.conf
644 io.peripety.varlink             $datadir/peripety/io.peripety.varlink
644 docs/peripetyd.8                $datadir/man/man8/peripetyd.8
644 docs/prpt.1                     $datadir/man/man1/prpt.1
644 io.peripety.varlink             $docdir/io.peripety.varlink
644 README.md                       $docdir/README.md
644 CHANGELOG.md                    $docdir/CHANGELOG.md
644 docs/admin.md                   $docdir/docs/admin.md
644 docs/architecture.md            $docdir/docs/architecture.md
644 docs/devices.md             $docdir/docs/devices.md
644 docs/events.md                  $docdir/docs/events.md
644 docs/incidents.md               $docdir/docs/incidents.md
644 docs/notifiers.md               $docdir/docs/notifiers.md
644 docs/offline.md                 $docdir/docs/offline.md
644 docs/rules.md                   $docdir/docs/rules.md
644 docs/examples/monitor.py        $docdir/docs/examples/monitor.py
644 config/peripetyd.conf           $docdir/config/peripetyd.conf
644 LICENSE-APACHE                  $docdir/LICENSE-APACHE
644 LICENSE-MIT                     $docdir/LICENSE-MIT
LIST
}

# Directories that hold nothing but files of Peripety, the inner ones first.
own_directories() { printf '%s\n' "$docdir/docs/examples" "$docdir/docs" "$docdir/config" "$docdir" "$datadir/peripety"; }

check_directories() {
    local name
    for name in DESTDIR prefix bindir sbindir libdir clibdir includedir datadir sysconfdir; do
        [[ ${!name} != *[[:space:]]* ]] || die "$name is \"${!name}\": a directory with white space in its name cannot be used."
        [[ $name == DESTDIR || ${!name} == /* ]] || die "$name is \"${!name}\": give a path that begins with \"/\"."
    done
    DESTDIR=${DESTDIR%/}
}

# find_programs PACKAGE…: builds them, unless they are there; then looks for what
# standard input lists and is built.
find_programs() {
    local source
    if [ -z "$PROGRAMS" ]; then
        scripts/deps.sh build
        scripts/cargo.sh build --release --locked "${@/#/--package=}"
        PROGRAMS=$(target_dir)/release
    fi
    while read -r _ source _; do
        [[ $source != @* ]] || [ -e "$PROGRAMS/${source#@/}" ] ||
            die "There is no $PROGRAMS/${source#@/}, which is installed with the programs. Please run first: make build (all packages: cargo build --release --workspace)"
    done
}

# What programs need that are linked with the static library, as
# "rustc --print native-static-libs" says.
STATIC_LIBS="-lgcc_s -lutil -lrt -lpthread -lm -ldl -lc"

version() { sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1; }

# filled_in FILE: a file that names the directories where things really are.
filled_in() {
    case $1 in
    *.service) sed -E "s|^(Exec[A-Z][a-z]*)=/usr/sbin/|\1=$sbindir/|" "$1" ;;
    *.pc.in)
        sed -e "s|@prefix@|$prefix|" -e "s|@includedir@|$includedir|" -e "s|@libdir@|$clibdir|" \
            -e "s|@version@|$(version)|" -e "s|@private@|$STATIC_LIBS|" "$1"
        ;;
    esac
}

put() {
    local mode=$1 source=${2/#@/$PROGRAMS} target=$DESTDIR$3
    if [ "$mode" = link ]; then
        ln -sfn "$source" "$target"
    elif [[ $source == *.service || $source == *.pc.in ]]; then
        install -d "${target%/*}"
        filled_in "$source" >"$target"
        chmod "$mode" "$target"
    else
        install -D -m "$mode" "$source" "$target"
    fi
}

put_all() {
    local mode source target
    while read -r mode source target; do put "$mode" "$source" "$target"; done
}

# The administrator's file is never touched.
put_configuration() {
    local target=$DESTDIR$sysconfdir/peripetyd.conf
    if [ -e "$target" ] || [ -L "$target" ]; then
        say "$target is there already and stays as it is; $DESTDIR$docdir/config/peripetyd.conf is the new one."
    else
        install -D -m 644 config/peripetyd.conf "$target"
    fi
}

next_steps() {
    say "Installed below ${DESTDIR:-/}."
    [ -z "$DESTDIR" ] || return 0
    cat <<STEPS
Next, as root:
    ldconfig
    systemd-sysusers $libdir/sysusers.d/peripety.conf
    journalctl --update-catalog
    systemctl daemon-reload
    systemctl enable --now peripetyd.socket peripetyd.service
    $bindir/prpt status
STEPS
}

install_all() {
    find_programs peripety prpt peripety-blkinfo-c < <(files)
    put_all < <(files)
    put_configuration
    next_steps
}

install_library() {
    find_programs peripety-blkinfo-c < <(library_files)
    put_all < <(library_files)
    say "Installed below ${DESTDIR:-/}. Where $clibdir is new to the dynamic linker, run as root: ldconfig"
}

# Configuration, state and the user stay: they are the administrator's.
uninstall_all() {
    local target directory
    while read -r _ _ target; do rm -f "$DESTDIR$target"; done < <(files)
    while read -r directory; do
        [ ! -d "$DESTDIR$directory" ] || rmdir --ignore-fail-on-non-empty "$DESTDIR$directory"
    done < <(own_directories)
    say "Removed from below ${DESTDIR:-/}. $sysconfdir/peripetyd.conf, /var/lib/peripety and the user peripety stay."
}

check_directories
case ${1:-} in
install) install_all ;;
install-library) install_library ;;
uninstall) uninstall_all ;;
list) files | awk '{print $3}' && say "$sysconfdir/peripetyd.conf" ;;
*) die "Usage: install.sh install | install-library | uninstall | list. Its head explains the environment." ;;
esac
