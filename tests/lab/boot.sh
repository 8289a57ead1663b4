#!/bin/bash
# Boots or stops one lab VM. The root disk is a snapshot that is thrown away: each boot starts clean.
#   boot.sh start [PROFILE]   base: the root disk only (default)
#                             hardware: a disk at every kind of controller that qemu has
#                             errors: a disk at several controllers, with sectors that cannot be read
#                             stacks: empty disks (SATA, virtio-scsi, virtio-blk) to build stacks on
#   boot.sh stop
#   VM=name  SUITE=trixie  MEM=megabytes  SMP=cpus  ACCEL=tcg,...  CPU=max  MACHINE=pc|q35  APPEND="kernel arguments"
#   QEMU_EXTRA="qemu arguments"  BOOT_TIMEOUT=seconds  ATTEMPTS=number
# The directory $LAB/run/$VM/share of the host is /lab in the VM.
set -euo pipefail
LAB=${LAB:-/var/tmp/peripety-lab}; VM=${VM:-vm0}; export LAB VM
here=$(cd "$(dirname "$0")" && pwd)
image=$LAB/img/${SUITE:-trixie}; run=$LAB/run/$VM
action=${1:-}; profile=${2:-base}

stop() {
  [ -f "$run/pid" ] || return 0
  local pid; pid=$(cat "$run/pid")
  if tr '\0' ' ' < "/proc/$pid/cmdline" 2> /dev/null | grep -q -- "-name lab-$VM "; then
    kill "$pid" 2> /dev/null || true
    for _ in $(seq 50); do kill -0 "$pid" 2> /dev/null || break; sleep 0.1; done
    kill -9 "$pid" 2> /dev/null || true
  fi
  rm -f "$run/pid"
}

case $action in
  stop) stop; exit 0 ;;
  start) stop ;;
  *) echo "usage: boot.sh start [base|hardware|errors|stacks] | stop" >&2; exit 2 ;;
esac
mkdir -p "$run/share/jobs" "$run/share/out" "$run/disks"
rm -f "$run"/*.sock "$run/console.log" "$run/share/jobs"/* "$run/disks"/*

machine=${MACHINE:-pc},hpet=off; memory=${MEM:-4096}; qemu=()
# An empty disk of that name and size as a qemu drive of the same name.
drive() {
  truncate -s "$2" "$run/disks/$1"
  qemu+=(-drive "file=$run/disks/$1,format=raw,if=none,id=$1,cache=unsafe")
}
dev() { qemu+=(-device "$1"); }
# A disk with a device in front: disk NAME SIZE DEVICE
disk() { drive "$1" "$2"; dev "$3,drive=$1"; }
scsi() { disk "$1" 64M "scsi-hd,vendor=LAB,product=$2,serial=LAB-$1,device_id=LAB-$1,$3"; }

hardware() {
  machine=${MACHINE:-q35},hpet=off,nvdimm=on; memory=${MEM:-4096},slots=4,maxmem=16G
  local slot
  for slot in 1 2 3 4 5; do dev "pcie-root-port,id=rp$slot,chassis=$slot,slot=$slot"; done
  dev pcie-pci-bridge,id=pci,bus=rp1
  # SATA: the machine's own AHCI, a second one; PATA with a CD drive
  disk sata0 256M ide-hd,bus=ide.0,model=LAB\ SATA,serial=LAB-sata0,wwn=0x5000c50000000100
  dev ich9-ahci,id=ahci
  disk sata1 64M ide-hd,bus=ahci.0,model=LAB\ SATA,serial=LAB-sata1,wwn=0x5000c50000000101
  disk sata2 64M ide-hd,bus=ahci.3,model=LAB\ SATA\ no\ WWN,serial=LAB-sata2
  dev piix3-ide,id=pata
  disk pata0 64M ide-hd,bus=pata.0,unit=0,model=LAB\ PATA,serial=LAB-pata0
  disk cd0 16M ide-cd,bus=pata.1,unit=0,serial=LAB-cd0
  # USB: a stick, a stick behind a hub, a UAS disk
  dev qemu-xhci,id=xhci
  disk usb0 64M usb-storage,bus=xhci.0,port=1,serial=LAB-usb0,removable=on
  dev usb-hub,bus=xhci.0,port=2
  disk usb1 64M usb-storage,bus=xhci.0,port=2.3,serial=LAB-usb1
  dev usb-uas,id=uas,bus=xhci.0,port=3
  scsi uas0 UAS bus=uas.0,wwn=0x5000c50000000200
  # SAS, RAID, parallel SCSI
  dev mptsas1068,id=sas,sas_address=0x5000c50000000300
  scsi sas0 SAS bus=sas.0,scsi-id=0,wwn=0x5000c50000000310,port_wwn=0x5000c50000000311
  scsi sas1 SAS bus=sas.0,scsi-id=3,wwn=0x5000c50000000320,port_wwn=0x5000c50000000321
  dev megasas-gen2,id=raid,bus=rp2
  scsi raid0 RAID bus=raid.0,scsi-id=2,wwn=0x5000c50000000400
  dev lsi53c895a,id=sym,bus=pci
  scsi spi0 SPI bus=sym.0,scsi-id=4
  dev am53c974,id=esp
  scsi esp0 ESP bus=esp.0,scsi-id=1
  dev pvscsi,id=pvscsi
  scsi pvscsi0 PVSCSI bus=pvscsi.0,scsi-id=1,wwn=0x5000c50000000500
  # virtio
  dev virtio-scsi-pci,id=vscsi
  scsi vscsi0 VSCSI bus=vscsi.0,scsi-id=0,lun=0,wwn=0x5000c50000000600
  scsi vscsi1 VSCSI bus=vscsi.0,scsi-id=0,lun=5,wwn=0x5000c50000000605
  scsi vscsi2 VSCSI bus=vscsi.0,scsi-id=7,lun=300
  disk vblk0 64M virtio-blk-pci,serial=LAB-vblk0
  disk vblk1 64M virtio-blk-pci
  # NVMe: a controller with two namespaces; a subsystem with two controllers, a shared and a private namespace
  dev nvme,id=nvme0,bus=rp3,serial=LAB-nvme0
  disk nvme0n1 64M nvme-ns,bus=nvme0,nsid=1,uuid=6c1e3a52-9e3e-4a6c-8a6e-0000000000a1
  disk nvme0n2 64M nvme-ns,bus=nvme0,nsid=2,eui64=0x5000c500000007a2
  dev nvme-subsys,id=subsys0,nqn=lab-subsys0
  dev nvme,id=nvme1,bus=rp4,serial=LAB-nvme1,subsys=subsys0
  dev nvme,id=nvme2,bus=rp5,serial=LAB-nvme1,subsys=subsys0
  disk nvme1n1 64M nvme-ns,bus=nvme1,nsid=1,shared=on,uuid=6c1e3a52-9e3e-4a6c-8a6e-0000000000b1,eui64=0x5000c500000007b1
  disk nvme1n2 64M nvme-ns,bus=nvme2,nsid=2,shared=off,uuid=6c1e3a52-9e3e-4a6c-8a6e-0000000000b2
  # SD card, UFS
  dev sdhci-pci,id=sdhci
  disk sd0 64M sd-card,bus=sd-bus
  dev ufs,id=ufs,serial=LAB-ufs0
  disk ufs0 64M ufs-lu,bus=ufs,lun=0
  # Persistent memory: with labels, without, and virtio's
  local name
  for name in pmem0 pmem1 pmem2; do
    truncate -s 128M "$run/disks/$name"
    qemu+=(-object "memory-backend-file,id=$name,share=on,mem-path=$run/disks/$name,size=128M")
  done
  dev nvdimm,id=nvdimm0,memdev=pmem0,label-size=128K,uuid=6c1e3a52-9e3e-4a6c-8a6e-0000000000c0
  dev nvdimm,id=nvdimm1,memdev=pmem1,uuid=6c1e3a52-9e3e-4a6c-8a6e-0000000000c1
  dev virtio-pmem-pci,id=vpmem,memdev=pmem2
}

stacks() {
  dev ich9-ahci,id=ahci
  disk sata0 256M ide-hd,bus=ahci.0,model=LAB\ SATA,serial=LAB-sata0,wwn=0x5000c50000000100
  dev virtio-scsi-pci,id=vscsi
  local name
  for name in 0 1 2 3; do scsi "scsi$name" STACK "bus=vscsi.0,scsi-id=$name,wwn=0x5000c5000000060$name"; done
  for name in 0 1 2 3 4; do disk "vblk$name" 256M "virtio-blk-pci,serial=LAB-vblk$name"; done
}

# A disk of 64 MB of which sectors 30000 and 50000 cannot be read, which nobody reads at boot: bad_disk NAME DEVICE
bad_disk() {
  truncate -s 64M "$run/disks/$1"
  local image="driver=raw,node-name=$1,file.driver=blkdebug,file.image.driver=file,file.image.filename=$run/disks/$1" number=0 sector
  for sector in 30000 50000; do
    image+=",file.inject-error.$number.event=none,file.inject-error.$number.errno=5,file.inject-error.$number.sector=$sector"
    number=$((number + 1))
  done
  qemu+=(-blockdev "$image")
  dev "$2,drive=$1"
}

errors() {
  dev ich9-ahci,id=ahci
  bad_disk sata0 ide-hd,bus=ahci.0,serial=LAB-sata0,wwn=0x5000c50000000100,rerror=report,werror=report
  dev qemu-xhci,id=xhci
  bad_disk usb0 usb-storage,bus=xhci.0,id=usb0,serial=LAB-usb0,rerror=report,werror=report
  dev virtio-scsi-pci,id=vscsi
  bad_disk vscsi0 scsi-hd,bus=vscsi.0,id=vscsi0,serial=LAB-vscsi0,wwn=0x5000c50000000600,rerror=report,werror=report
  bad_disk vblk0 virtio-blk-pci,id=vblk0,serial=LAB-vblk0,rerror=report,werror=report
  bad_disk nvme0 nvme,id=nvme0,serial=LAB-nvme0
}

case $profile in
  base) ;;
  errors) errors ;;
  hardware) hardware ;;
  stacks) stacks ;;
  *) echo "boot.sh: no profile $profile" >&2; exit 2 ;;
esac

append="console=ttyS0,115200 root=/dev/vda rw quiet loglevel=3 mitigations=off net.ifnames=0 apparmor=0 selinux=0"
append+=" audit=0 rcupdate.rcu_expedited=1 random.trust_cpu=on 8250.nr_uarts=1 panic=5 no_timer_check tsc=reliable"
append+=" clocksource=tsc systemd.show_status=no ${APPEND:-}"
read -ra extra <<< "${QEMU_EXTRA:-}"
for ((attempt = 1; attempt <= ${ATTEMPTS:-3}; attempt++)); do
  started=$(date +%s)
  qemu-system-x86_64 -name "lab-$VM" -M "$machine" -accel "${ACCEL:-tcg,thread=multi,tb-size=1024}" -cpu "${CPU:-max}" \
    -smp "${SMP:-2}" -m "$memory" -nodefaults -no-user-config -display none -nic none \
    -serial "file:$run/console.log" -qmp "unix:$run/qmp.sock,server=on,wait=off" \
    -kernel "$image/vmlinuz" -initrd "$image/initrd.img" -append "$append" \
    -drive "file=$image/root.img,format=raw,if=none,id=root,snapshot=on,cache=unsafe" \
    -device virtio-blk-pci,drive=root,addr=0x3 -device virtio-rng-pci \
    -device virtio-serial-pci -chardev "socket,id=lab0,path=$run/lab.sock,server=on,wait=off" \
    -device virtserialport,chardev=lab0,name=lab.0 \
    -chardev "socket,id=shell,path=$run/shell.sock,server=on,wait=off" -device virtconsole,chardev=shell \
    -virtfs "local,path=$run/share,mount_tag=lab,security_model=none,multidevs=remap" \
    "${qemu[@]}" "${extra[@]}" < /dev/null > "$run/qemu.log" 2>&1 &
  echo $! > "$run/pid"
  if python3 "$here/labctl.py" wait "${BOOT_TIMEOUT:-180}"; then
    echo "booted in $(($(date +%s) - started)) s"
    exit 0
  fi
  # Without KVM qemu aborts in the early boot once in a while.
  echo "the VM did not come up (attempt $attempt):" >&2
  tail -n 2 "$run/qemu.log" >&2; tail -n 5 "$run/console.log" >&2 || true
  stop; rm -f "$run"/*.sock
done
exit 1
