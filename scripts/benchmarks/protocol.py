"""The cluster protocol by simulation."""
import json
import resource
import statistics
import subprocess
import sys
import textwrap

from measuring import Verdicts

LAN = "a warm cluster; one way 1 ms and an exponential millisecond"
STEAL = ("one core a node, 64 tasks a node, lognormal sigma 0.8, a tenth of the tasks 20 x dearer in patches of about "
         "16, predictions 40 % wrong, mean 1.2 s; LAN of 0.2 ms round trip; work / (speed x time from the first task's "
         "start to the last result)")


class Goal:
    """A number of a row beside what it has to reach."""

    def __init__(self, text, name, limit, pick="median", least=False, form="{:.2f} s", bound=None):
        self.text, self.name, self.limit, self.pick, self.least = text, name, limit, pick, least
        self.form, self.bound = form, bound

    def value(self, numbers):
        values = sorted(numbers.get(self.name, []))
        if callable(self.pick):
            return self.pick(numbers)
        if not values:
            return float("nan")
        share = {"median": 0.5, "p99": 0.99, "max": 1.0}[self.pick]
        return values[min(len(values) - 1, max(0, -(-int(share * 1000) * len(values) // 1000) - 1))]

    def holds(self, value):
        return value >= self.limit if self.least else value <= self.limit


def a_node_hour(numbers):
    return sum(numbers["falseDeaths"]) / max(1e-9, sum(numbers["nodeHours"]))


def over_bound(numbers):
    return statistics.median(t / b for t, b in zip(numbers["computing"], numbers["networkBound"]))


def times_real(numbers):
    return statistics.median(v / w for v, w in zip(numbers["virtualSeconds"], numbers["wallSeconds"]))


def seconds(median, p99=None):
    goals = [Goal("median", "seconds", median)]
    return goals + ([Goal("p99", "seconds", p99, "p99")] if p99 else [])


def deaths():
    return [Goal("a node-hour", "falseDeaths", 0.01, a_node_hour, form="{:.4f}")]


def efficiency(goal):
    return [Goal("median", "efficiency", goal, least=True, form="{:.3f}")]


ROWS = [
    ("silent-small", "silent crash known to all, N = 2-7", LAN, seconds(6.5, 9)),
    ("silent-1000", "silent crash known to all, N = 1000, no loss", LAN, seconds(6.5, 8)),
    ("silent-1000-loss5", "the same, 5 % loss", LAN, seconds(6.5, 8)),
    ("silent-1000-loss20", "the same, 20 % loss", LAN, seconds(6.5, 9)),
    ("killed-64", "process killed, host up, N = 2-64", LAN, seconds(2, 4)),
    ("killed-1000", "process killed, host up, N = 1000", LAN, seconds(2.5, 4)),
    ("false-1000-loss20", "false deaths, N = 1000, 20 % loss", LAN + "; 40 s a seed", deaths()),
    ("false-starved", "false deaths beside CPU-starved nodes, N = 16",
     LAN + "; a quarter of the nodes stalls 0.3-8 s again and again; deaths of the others; 20 min a seed", deaths()),
    ("false-small", "false deaths, N = 3-8, 1000 node-hours", LAN + "; 9 h a seed", deaths()),
    ("gossip-1000", "gossip, N = 1000, quiet", LAN + "; UDP, IP and TCP headers counted",
     [Goal("median", "bytesPerSecond", 500, form="{:.0f} B/s")]),
    ("merge-64", "partition merged, N = 2-64", LAN + "; two random halves for a minute; until all views agree",
     [Goal("p99", "seconds", 15, "p99")]),
    ("merge-1000", "partition merged, N = 1000", LAN + "; two random halves for a minute",
     [Goal("p99", "seconds", 45, "p99")]),
    ("coordinator-killed", "coordinator's process killed: another grants tasks",
     LAN + "; 5-7 nodes, 40 tasks of 1 s a node; until the successor's term is on disk and it grants",
     seconds(2.5, 4) + [Goal("durable results recomputed", "recomputed", 0, "max", form="{:.0f}")]),
    ("coordinator-silent", "coordinator's host silent: another grants tasks", LAN + "; likewise",
     seconds(4.5) + [Goal("durable results recomputed", "recomputed", 0, "max", form="{:.0f}")]),
    ("reissued-silent", "dead worker's task runs elsewhere", LAN + "; 8 nodes, 4 long tasks, idle nodes at hand",
     seconds(4)),
    ("reissued-stopped", "stopped worker's task runs elsewhere", LAN + "; likewise", seconds(4)),
    ("stuck", "stuck task copied, beyond max(3 s, 3 x predicted)", LAN + "; predicted 0.5-4.5 s, idle nodes at hand",
     [Goal("median", "secondsOver", 1)]),
    ("steal-4", "steal efficiency, 4 nodes", STEAL, efficiency(0.95)),
    ("steal-16", "steal efficiency, 16 nodes", STEAL,
     efficiency(0.93) + [Goal("duplicate work, rescues apart", "duplicates", 0.03, form="{:.4f}"),
                         Goal("the most", "duplicates", 0.05, "max", form="{:.4f}")]),
    ("steal-64", "steal efficiency, 64 nodes", STEAL,
     efficiency(0.90) + [Goal("duplicate work, rescues apart", "duplicates", 0.03, form="{:.4f}"),
                         Goal("the most", "duplicates", 0.05, "max", form="{:.4f}")]),
    ("steal-1000", "steal efficiency, 1000 nodes", STEAL + "; the longest task alone bounds it",
     efficiency(0.85)),
    ("steal-1000-split", "the same, tasks predicted above 8 means planned as four", STEAL, efficiency(0.85)),
    ("steal-link-16", "16 nodes with 1 Gb/s each: time / the network's own bound",
     STEAL.replace("one core a node", "two cores and three slots a node")
     + "; 10 MB of inputs a task from one node's disk, 4.5 MB blobs to the coordinator; the bound is the largest of "
       "cores, owner's uplink, coordinator's downlink, longest task",
     [Goal("median", "computing", 1.10, over_bound, form="{:.2f}")]),
    ("small-2", "2 nodes, 12 tasks", STEAL.replace("64 tasks a node, ", "").replace(
        "a tenth of the tasks 20 x dearer in patches of about 16", "no dear patches"), efficiency(0.84)),
    ("small-3", "3 nodes, 12 tasks", "likewise", efficiency(0.84)),
    ("slow-64", "64 nodes, 4 of them ten times slower", STEAL, efficiency(0.85)),
    ("steal-16", "idle -> task granted, on a simulated LAN", "the waits of the 16-node runs, 0.2 ms round trip; by "
     "simulation, not on a real network", [Goal("p50", "waits", 0.003, form="{:.4f} s"),
                                           Goal("p99", "waits", 0.050, "p99", form="{:.4f} s")]),
    ("speed-1000", "simulator speed, N = 1000", "virtual / wall seconds of a quiet minute, without the start; "
     "an idle core is assumed", [Goal("times real time", "wallSeconds", 50, times_real, least=True, form="{:.0f} x")]),
]


def protocol(options):
    """Prints the rows; True when every goal holds."""
    known = [row[0] for row in ROWS]
    unknown = sorted(set(options.only or []) - set(known))
    if unknown:
        sys.exit(f"bench: no row is named {', '.join(unknown)}; there are {', '.join(dict.fromkeys(known))}")
    verdicts, found = Verdicts(), {}
    for name, what, assumed, goals in ROWS:
        if options.only and name not in options.only:
            continue
        if name not in found:
            command = [options.arbutus, "simulate", "--figure", name, "--seed", "1", "--seeds", str(options.seeds)]
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            done = subprocess.run([str(w) for w in command], stdout=subprocess.PIPE, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            answer = json.loads(done.stdout)
            found[name] = answer["numbers"], answer["violated"], after.ru_utime - before.ru_utime
        numbers, violated, cpu = found[name]
        print(f"\n{what}  [{name}, {options.seeds} seeds, {cpu:.1f} CPU s]")
        for line in textwrap.wrap(assumed, 108):
            print(f"    {line}")
        for goal in goals:
            value = goal.value(numbers)
            sign = ">=" if goal.least else "<="
            shown = "never" if value >= 1e299 else goal.form.format(value)
            verdict = verdicts.note(goal.holds(value))
            print(f"  {goal.text}: {shown}, goal {sign} {goal.form.format(goal.limit)}: {verdict}")
        for sentence in violated:
            print(f"  violated, {sentence}: {verdicts.note(False)}")
        if "efficiencyBound" in numbers:
            best = statistics.median(numbers["efficiencyBound"])
            print(f"  (no schedule exceeds {best:.3f} in the median: the longest task; with planning, acknowledgement "
                  f"and outputs {statistics.median(numbers['wholeEfficiency']):.3f}; lost tasks "
                  f"{sum(numbers['lost']):.0f})")
        sys.stdout.flush()
    return verdicts.end()
