"""What a measurement was made on, and how busy the machine was with other things meanwhile."""

import datetime
import os
import platform
import re
import resource

import torch


def cpu_name():
    with open("/proc/cpuinfo") as info:
        text = info.read()
    field = lambda name: re.search(rf"^{name}\s*: (.*)$", text, re.M)
    found = [field(name) for name in ("model name", "model", "stepping")]
    return ", model ".join(f.group(1) for f in found[:2] if f) or platform.machine()


def description():
    return {"date": datetime.date.today().isoformat(), "cpu": cpu_name(), "cores": len(os.sched_getaffinity(0)), "torch": torch.__version__,
            "torch_cpu_capability": torch.backends.cpu.get_cpu_capability(), "python": platform.python_version(), "system": platform.platform()}


def file_stem():
    """2026-01-31-intel-xeon-processor"""
    return f"{datetime.date.today().isoformat()}-{re.sub('[^a-z0-9]+', '-', cpu_name().lower()).strip('-')}"


class Meter:
    """Of the time since the last call: the share of all cores' time that went to processes other than this one and `children`, 0..1,
    and the CPU seconds of these."""

    def __init__(self, children):
        self.children, self.ticks, self.cores = children, os.sysconf("SC_CLK_TCK"), os.cpu_count()
        self.last = self._read()

    def _read(self):
        with open("/proc/stat") as stat:
            user, nice, system, idle, iowait, irq, softirq, steal = map(int, stat.readline().split()[1:9])
        own = resource.getrusage(resource.RUSAGE_SELF)
        own = own.ru_utime + own.ru_stime
        for pid in self.children:
            with open(f"/proc/{pid}/stat") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
            own += (int(fields[11]) + int(fields[12])) / self.ticks
        busy = (user + nice + system + irq + softirq + steal) / self.ticks
        return busy, busy + (idle + iowait) / self.ticks, own

    def read(self):
        now = self._read()
        busy, total, own = (b - a for a, b in zip(self.last, now))
        self.last = now
        return (max(0.0, (busy - own) / total) if total > 0 else 0.0), own
