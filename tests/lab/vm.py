"""The lab's VM on the host's side: boots it, runs commands in it, reboots it when it is stuck."""

import os
import subprocess
import sys
import time

from labctl import TIMED_OUT, Agent, Stuck

HERE = os.path.dirname(os.path.abspath(__file__))
KVM_TRIAL = 40
# How long the daemon may take after the boot to have read the journal.
START_SECONDS = 150
STARTED = "until prpt status | grep -q 'Caught up: *yes'; do systemctl is-failed -q peripetyd.service && break; sleep 0.5; done"
# Commands that must print nothing in a guest without leftovers of a scenario.
LEFTOVERS = """
ls -d /sys/bus/pseudo/drivers/scsi_debug/adapter* /sys/class/iscsi_session/* /sys/block/dm-* /sys/block/md* \
  /sys/class/nvme/nvme* /sys/class/fc_remote_ports/* 2> /dev/null
losetup -a; grep -E ' /mnt/' /proc/mounts; nft list ruleset
"""


class NoDaemon(Exception):
    """The daemon does not start in the guest: no scenario can run."""


class Vm:
    """One VM. `profile` is the set of disks that boot.sh gives it; None while it does not run."""

    def __init__(self, lab, name, record=False):
        self.lab, self.name, self.record = lab, name, record
        self.directory = os.path.join(lab, "run", name)
        self.share = os.path.join(self.directory, "share")
        self.profile = self.agent = None

    def boot_script(self, *arguments, **more):
        environment = dict(os.environ, LAB=self.lab, VM=self.name, MEM=os.environ.get("MEM", "3072"), **more)
        return subprocess.run([os.path.join(HERE, "boot.sh"), *arguments], env=environment, check=False,
                              stdout=subprocess.DEVNULL).returncode == 0

    def start(self, profile):
        """Boots it afresh, with hardware virtualisation when that is known to work or not yet tried."""
        self.agent = None
        accelerator = self.accelerator()
        if accelerator != "tcg":
            works = self.boot_script("start", profile, ACCEL="kvm", CPU="host", ATTEMPTS="1", BOOT_TIMEOUT=str(KVM_TRIAL))
            self.remember("kvm" if works else "tcg")
            if not works and not self.boot_script("start", profile):
                raise Stuck("the VM does not boot")
        elif not self.boot_script("start", profile):
            raise Stuck("the VM does not boot")
        self.profile = profile
        self.agent = Agent(self.directory, time.time() + 10)
        status, _ = self.run(START_SECONDS, f"({STARTED}) > /dev/null 2>&1; systemctl is-active -q peripetyd.service")
        if status:
            self.profile = None
            raise NoDaemon(self.run(30, "journalctl -b -u peripetyd.service -o cat | tail -n 12")[1])

    def accelerator(self):
        """kvm or tcg when a boot has shown which, else None: /dev/kvm may be there and not run this kernel."""
        if not os.access("/dev/kvm", os.R_OK | os.W_OK):
            return "tcg"
        try:
            with open(os.path.join(self.lab, "accelerator"), encoding="ascii") as file:
                return file.read().strip()
        except OSError:
            return None

    def remember(self, accelerator):
        with open(os.path.join(self.lab, "accelerator"), "w", encoding="ascii") as file:
            file.write(accelerator + "\n")

    def stop(self):
        self.agent = self.profile = None
        self.boot_script("stop")

    def run(self, seconds, command):
        return self.agent.run(seconds, command)

    def wait_reboot(self, seconds):
        """Waits until the guest, which is rebooting, answers again."""
        if not any(line.startswith("ready") for line in self.agent.lines(time.time() + seconds)):
            raise Stuck("the guest did not come back from its reboot")

    def is_clean(self):
        """Whether the guest answers and nothing of a scenario is left."""
        try:
            status, output = self.run(30, LEFTOVERS)
        except Stuck as error:
            print(f"    {error}", file=sys.stderr)
            return False
        return status != TIMED_OUT and not output.strip()
