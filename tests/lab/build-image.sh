#!/bin/bash
# Build the lab VM image: Debian root file system (ext4, raw), kernel and a
# small hand-made initrd.  Needs: mmdebstrap, e2fsprogs (mke2fs -d), cpio, root.
#   LAB     working directory            (default /var/tmp/peripety-lab)
#   SUITE   Debian suite                 (default trixie)
#   MIRROR  Debian mirror
#   IMG_MB  size of the root file system (default 3072, sparse)
#   EXTRA   more packages, comma separated
set -euo pipefail
LAB=${LAB:-/var/tmp/peripety-lab}; SUITE=${SUITE:-trixie}
# shellcheck disable=SC2016  # for apt-get to fill in
MIRROR=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Component: main' | grep -E '/debian/?$' | head -1)}  # the host's own
IMG_MB=${IMG_MB:-3072}; EXTRA=${EXTRA:-}
OUT=${OUT:-$LAB/img/$SUITE}
ROOT=$OUT/rootfs
PKGS=systemd,systemd-sysv,udev,dbus,kmod,linux-image-amd64,busybox-static
PKGS+=,util-linux,procps,iproute2,netbase,less,zstd,python3-minimal,python3
PKGS+=,multipath-tools,lvm2,dmeventd,dmsetup,thin-provisioning-tools,mdadm,kpartx,fdisk
PKGS+=,cryptsetup-bin,open-iscsi,targetcli-fb,nvme-cli,smartmontools
PKGS+=,e2fsprogs,xfsprogs,btrfs-progs,dosfstools,sg3-utils
# multipath-tools depends on sg3-utils-udev: its rules start ~10 processes for every SCSI disk event (seconds per
# path under TCG) and log a WARNING for every device without an ID; SG3_RULES=0 masks them in the image
PKGS+=,python3-varlink,systemd-journal-remote,udisks2,udisks2-lvm2,libblockdev-mdraid3
PKGS+=,bcache-tools,vdo,parted,strace,fio
[ -z "$EXTRA" ] || PKGS+=,$EXTRA
t0=$(date +%s)
mkdir -p "$OUT"
# REUSE=1: keep the bootstrapped tree, redo only the customisation and the images
if [ -z "${REUSE:-}" ]; then
rm -rf --one-file-system "$ROOT"

export INITRD=No DEBIAN_FRONTEND=noninteractive
mmdebstrap --mode=root --variant=minbase --format=directory \
  --aptopt='Apt::Install-Recommends "false"' \
  --dpkgopt='force-unsafe-io' \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
  --dpkgopt='path-exclude=/etc/kernel/postinst.d/initramfs-tools' \
  --dpkgopt='path-exclude=/lib/modules/*/kernel/drivers/gpu/*' \
  --dpkgopt='path-exclude=/usr/lib/modules/*/kernel/drivers/gpu/*' \
  --dpkgopt='path-exclude=/usr/lib/modules/*/kernel/drivers/media/*' \
  --dpkgopt='path-exclude=/usr/lib/modules/*/kernel/drivers/net/wireless/*' \
  --dpkgopt='path-exclude=/usr/lib/modules/*/kernel/drivers/net/ethernet/*' \
  --dpkgopt='path-exclude=/usr/lib/modules/*/kernel/sound/*' \
  --dpkgopt='path-exclude=/usr/lib/modules/*/kernel/drivers/staging/*' \
  --dpkgopt='path-exclude=/usr/lib/modules/*/kernel/drivers/iio/*' \
  --dpkgopt='path-exclude=/usr/lib/modules/*/kernel/drivers/infiniband/*' \
  --include="$PKGS" "$SUITE" "$ROOT" "$MIRROR"
fi
t1=$(date +%s)

# ---- inside: agent, fstab, units ------------------------------------------
KVER=$(find "$ROOT"/usr/lib/modules "$ROOT"/lib/modules -mindepth 1 -maxdepth 1 -printf "%f\n" 2> /dev/null | sort -V | tail -1)
echo lab > "$ROOT/etc/hostname"
printf '127.0.0.1 localhost lab\n' > "$ROOT/etc/hosts"
echo '0123456789abcdef0123456789abcdef' > "$ROOT/etc/machine-id"
: > "$ROOT/etc/fstab"
chroot "$ROOT" passwd -d root >/dev/null
mkdir -p "$ROOT/lab" "$ROOT/var/log/journal"
install -m 755 "$(dirname "$0")/guest/agent.py" "$ROOT/usr/local/sbin/lab-agent"
cat > "$ROOT/etc/systemd/system/lab.mount" <<'E'
[Unit]
Description=host share
DefaultDependencies=no
[Mount]
What=lab
Where=/lab
Type=9p
Options=trans=virtio,version=9p2000.L,msize=524288,cache=none
E
cat > "$ROOT/etc/systemd/system/lab-agent.service" <<'E'
[Unit]
Description=lab command agent
Requires=lab.mount
After=lab.mount systemd-journald.service multi-user.target
[Service]
Type=simple
ExecStart=/usr/local/sbin/lab-agent
Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
StandardOutput=null
StandardError=null
KillMode=process
TasksMax=infinity
[Install]
WantedBy=multi-user.target
E
# A shell on the second console, for "make lab-shell".
cat > "$ROOT/etc/systemd/system/lab-shell.service" <<'E'
[Unit]
Description=lab shell
ConditionPathExists=/dev/hvc0
[Service]
ExecStart=/bin/bash -l
StandardInput=tty
StandardOutput=tty
TTYPath=/dev/hvc0
Environment=TERM=xterm HOME=/root
WorkingDirectory=/root
Restart=always
RestartSec=1
[Install]
WantedBy=multi-user.target
E
# systemd waits for multi-user before the agent: break the ordering cycle
sed -i 's/ multi-user.target$//' "$ROOT/etc/systemd/system/lab-agent.service"
# udev would load these for the emulated PC; they only cost boot time
cat > "$ROOT/etc/modprobe.d/lab-blacklist.conf" <<'E'
blacklist kvm_amd
blacklist kvm_intel
blacklist kvm
blacklist pcspkr
blacklist i2c_piix4
blacklist i2c_i801
blacklist floppy
blacklist psmouse
blacklist mousedev
blacklist evdev
blacklist joydev
blacklist serio_raw
blacklist button
blacklist parport_pc
blacklist bochs
blacklist qemu_fw_cfg
E
if [ "${SG3_RULES:-1}" = 0 ]; then mkdir -p "$ROOT/etc/udev/rules.d"; for r in 55-scsi-sg3_id 58-scsi-sg3_symlink; do ln -sf /dev/null "$ROOT/etc/udev/rules.d/$r.rules"; done; fi
S() { systemctl --root="$ROOT" "$@" >/dev/null 2>&1 || true; }
S enable lab-agent.service lab-shell.service
S set-default multi-user.target
S disable multipathd.service multipathd.socket iscsid.service iscsid.socket open-iscsi.service \
  smartd.service smartmontools.service udisks2.service nvmf-autoconnect.service \
  nvmefc-boot-connections.service rtslib-fb-targetctl.service targetclid.service targetclid.socket \
  systemd-journal-upload.service systemd-journal-remote.socket systemd-journal-gatewayd.socket \
  fstrim.timer e2scrub_all.timer e2scrub_reap.service apt-daily.timer apt-daily-upgrade.timer \
  dpkg-db-backup.timer mdcheck_start.timer mdcheck_continue.timer mdmonitor-oneshot.timer \
  xfs_scrub_all.timer getty@tty1.service systemd-networkd.service systemd-resolved.service vdo.service
S mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer \
  e2scrub_reap.service e2scrub_all.timer getty@.service serial-getty@.service getty-static.service \
  systemd-machine-id-commit.service systemd-timesyncd.service ldconfig.service \
  systemd-update-utmp.service systemd-update-utmp-runlevel.service sys-kernel-debug.mount.disabled \
  systemd-firstboot.service systemd-hwdb-update.service systemd-journal-catalog-update.service \
  systemd-update-done.service dev-hugepages.mount systemd-binfmt.service nvmf-autoconnect.service \
  ldconfig.service systemd-pcrmachine.service systemd-tpm2-setup.service systemd-tpm2-setup-early.service

# ---- kernel + minimal initrd ----------------------------------------------
cp "$ROOT"/boot/vmlinuz-"$KVER" "$OUT/vmlinuz"
I=$OUT/initrd.d; rm -rf "$I"; mkdir -p "$I"/{bin,mod,dev,proc,sys,new}
cp "$ROOT"/usr/bin/busybox "$I/bin/busybox" 2>/dev/null || cp "$ROOT"/bin/busybox "$I/bin/busybox"
n=0
while read -r _ ko _; do
  b=$(basename "$ko"); b=${b%.xz}; b=${b%.zst}
  case " ${seen:-} " in *" $b "*) continue;; esac; seen="${seen:-} $b"
  n=$((n+1)); d=$(printf '%s/mod/%02d-%s' "$I" $n "$b")
  case $ko in *.xz) xz -dc "$ROOT/$ko";; *.zst) zstd -dc "$ROOT/$ko";; *) cat "$ROOT/$ko";; esac > "$d"
done < <(for m in virtio_pci virtio_blk ext4 virtio_console 9pnet_virtio 9p; do
           chroot "$ROOT" modprobe -S "$KVER" --show-depends "$m"; done | grep '^insmod')
cat > "$I/init" <<'E'
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs d /dev; /bin/busybox mount -t proc p /proc; /bin/busybox mount -t sysfs s /sys
for m in /mod/*; do /bin/busybox insmod $m; done
i=0; while [ ! -b /dev/vda ] && [ $i -lt 100 ]; do /bin/busybox sleep 0.1; i=$((i+1)); done
/bin/busybox mount -t ext4 -o rw,noatime /dev/vda /new || exec /bin/busybox sh
/bin/busybox umount /proc /sys
/bin/busybox mount --move /dev /new/dev
exec /bin/busybox switch_root /new /sbin/init
E
chmod 755 "$I/init" "$I/bin/busybox"
ln -sf bin/busybox "$I/sh"
(cd "$I" && find . | cpio -o -H newc --quiet) > "$OUT/initrd.img"

# ---- root file system ------------------------------------------------------
rm -rf "$ROOT"/var/cache/apt/* "$ROOT"/var/lib/apt/lists/* "$ROOT"/boot/initrd* 
rm -f "$OUT/root.img"; truncate -s "${IMG_MB}M" "$OUT/root.img"
mke2fs -q -t ext4 -O ^metadata_csum_seed,^orphan_file -E lazy_itable_init=0,lazy_journal_init=0 \
   -L labroot -d "$ROOT" "$OUT/root.img"
echo "$KVER" > "$OUT/kver"
t2=$(date +%s)
echo "suite=$SUITE kernel=$KVER bootstrap=$((t1-t0))s rest=$((t2-t1))s"
du -sh "$ROOT" "$OUT/root.img" "$OUT/initrd.img" "$OUT/vmlinuz"
