"""Processes and their cost: wall time, CPU of all descendants, peak memory."""
import datetime
import mmap
import os
import pathlib
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = os.sysconf("SC_PAGE_SIZE")


class Verdicts:
    """Figures beside their goals, a line each."""

    def __init__(self):
        self.held = []

    def note(self, held):
        """Counts a verdict that is printed elsewhere; its word."""
        self.held.append(held)
        return "holds" if held else "MISSED"

    def most(self, what, value, goal, unit=""):
        print(f"  {what}: {value:.2f}{unit}, goal <= {goal:g}{unit}: {self.note(value <= goal)}", flush=True)

    def least(self, what, value, goal, unit=""):
        print(f"  {what}: {value:.2f}{unit}, goal >= {goal:g}{unit}: {self.note(value >= goal)}", flush=True)

    def end(self):
        """Whether all goals hold."""
        print(f"\n{sum(self.held)} of {len(self.held)} goals hold; load at the end {os.getloadavg()[0]:.1f}")
        return all(self.held)


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
                 platform.machine())
    memory = int(open("/proc/meminfo").readline().split()[1]) // 1024
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    load = " ".join(f"{x:.1f}" for x in os.getloadavg())
    return (f"{datetime.datetime.now():%Y-%m-%d %H:%M}, commit {commit.stdout.strip()}, {os.cpu_count()} x {model}, "
            f"{memory} MB, load {load}")


def tree_memory(session):
    """Private bytes (resident less shared) of all processes of a session."""
    total = 0
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            if os.getsid(int(entry)) != session:
                continue
            resident, shared = open(f"/proc/{entry}/statm").read().split()[1:3]
            total += (int(resident) - int(shared)) * PAGE
        except (OSError, ValueError):
            continue  # it ended meanwhile
    return total


def touch_memory(most=6 << 30):
    """Takes free memory and gives it back. The host of a virtual machine takes back what lies free, and who touches
    it next pays up to 4 s of system time a gigabyte: no contender's fault, so nobody pays it while it is measured."""
    facts = dict(line.split(":", 1) for line in open("/proc/meminfo"))
    size = min(most, int(facts["MemFree"].split()[0]) * 1024 * 3 // 4)
    if size > PAGE:
        mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE).close()


def run(command, log, environment=None):
    """Runs a command in a session of its own: (wall s, CPU s, peak bytes). Ends the benchmark when it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    with open(log, "w") as output:
        process = subprocess.Popen(
            [str(word) for word in command], stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            start_new_session=True, env={**os.environ, **(environment or {})})
        peak, ended = 0, threading.Event()

        def watch():
            nonlocal peak
            while not ended.wait(0.05):
                peak = max(peak, tree_memory(process.pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        status = process.wait()
        wall = time.monotonic() - start
        ended.set()
        watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if status != 0:
        tail = "\n".join(open(log, errors="replace").read().splitlines()[-15:])
        sys.exit(f"bench: this ended with {status}: {' '.join(map(str, command))}\n{tail}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, peak


class Figures:
    """The runs of one contender."""

    def __init__(self, name, make):
        self.name, self.make, self.runs, self.sizes = name, make, [], {}

    def measure(self, folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        command, environment, outputs = self.make(folder)
        touch_memory()
        self.runs.append(run(command, folder / "log", environment))
        self.outputs = outputs
        self.sizes = {kind: path.stat().st_size for kind, path in outputs.items() if path.exists()}

    def median(self, what):
        return statistics.median(r[what] for r in self.runs)

    wall = property(lambda self: self.median(0))
    cpu = property(lambda self: self.median(1))
    peak = property(lambda self: max(r[2] for r in self.runs))

    def row(self):
        def size(kind):
            return f"{self.sizes[kind] / 1e6:.1f}" if kind in self.sizes else "-"

        spread = "-".join(f"{f(r[0] for r in self.runs):.1f}" for f in (min, max))
        return [self.name, f"{self.wall:.1f}", spread, f"{self.cpu:.1f}", f"{self.peak / 1e6:.0f}", size("tif"),
                size("png")]


def contest(contenders, runs, scratch):
    """Measures all contenders `runs` times; every second round goes backwards."""
    for number in range(runs):
        for contender in contenders if number % 2 == 0 else contenders[::-1]:
            contender.measure(scratch / contender.name.replace(" ", "-"))
            wall, cpu, peak = contender.runs[-1]
            print(f"  {contender.name}, run {number + 1}: {wall:.1f} s, CPU {cpu:.1f} s, {peak / 1e6:.0f} MB",
                  file=sys.stderr, flush=True)
