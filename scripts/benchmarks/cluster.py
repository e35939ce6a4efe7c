"""Real nodes on this machine."""
import json
import os
import pathlib
import random
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

from measuring import Verdicts, run, touch_memory
from nodes import Cluster

PARTS = ["transfer", "overhead", "scaling", "takeover", "stopped", "wait", "idle"]


def is_complete(status):
    if status["state"] not in ("running", "complete"):
        raise SystemExit(f"bench: the job is {status['state']}")
    return status["state"] == "complete"


class ClusterBench:
    def __init__(self, options):
        self.options, self.program = options, options.arbutus
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="arbutus-bench-cluster-", dir=options.scratch))
        self.verdicts = Verdicts()
        self.number = 0

    def scenes(self, size, kind):
        """Two granules: DATA's where these are whole ones (of their plain DN), else a sample's, made once."""
        known = self.options.data / {"cog": "W-full", "safe": "W-full-jp2"}[kind]
        if size == 10980 and known.is_dir():
            return sorted(path.resolve() for path in known.iterdir() if path.is_dir())
        folder = self.scratch / f"scenes-{kind}-{size}"
        if not folder.is_dir():
            run([self.program, "sample", "--out", folder, "--size", str(size), "--format", kind], self.scratch / "log")
        return sorted(path for path in folder.iterdir() if path.is_dir())

    def plain(self, scenes):
        """Whether the scenes are DATA's, whose masks and offsets mean nothing."""
        return self.options.data.resolve() in scenes[0].parents

    def submit(self, node, scenes):
        return node.submit(scenes, **({"offset": 0, "mask": "none"} if self.plain(scenes) else {}))

    def cluster(self, count, *more, share=None):
        self.number += 1
        return Cluster(self.program, self.scratch / f"cluster-{self.number}", count, *more, share=share)

    def started(self, cluster, scenes, done):
        """The name of a job of which that share is done."""
        node = cluster.nodes[0]
        job = self.submit(node, scenes)

        def is_so_far(grid):
            progress = grid.get("progress") or {}
            return progress.get("count", 0) > 0 and progress["done"] >= done * progress["count"]
        node.wait(f"/jobs/{job}/tasks", is_so_far, 600, 0.05)
        return job

    def coordinator(self, cluster, job):
        name = cluster.nodes[0].get(f"/jobs/{job}")["coordinator"]
        return next(node for node in cluster.nodes if node.id == name)

    # --- the parts ---

    def transfer(self):
        rates, cipher = [], []
        for _ in range(self.options.runs):
            told = subprocess.run([self.program, "measure-transfer"], check=True, capture_output=True, text=True)
            figures = json.loads(told.stdout)
            rates.append(figures["bytes"] / figures["cpuSeconds"] / 1e6)
            cipher.append(figures["cipherCPUSeconds"] / figures["cpuSeconds"])
        print(f"\nA sealed link over loopback, frames of 256 KiB, 2 GB, {self.options.runs} times")
        self.verdicts.least("both ends counted", statistics.median(rates), 400, " MB per CPU-second")
        print(f"  of which libcrypto's ChaCha20-Poly1305 alone takes {100 * statistics.median(cipher):.0f} %")

    def overhead(self):
        scenes = self.scenes(10980, "safe")
        alone, together = [], []
        for number in range(self.options.runs):
            for what in (alone, together)[::1 if number % 2 == 0 else -1]:
                touch_memory()
                if what is alone:
                    folder = self.scratch / "alone"
                    command = [self.program, "run", *scenes, "--out", folder / "out", "--store", folder / "store",
                               *(["--offset", "0", "--mask", "none"] if self.plain(scenes) else [])]
                    folder.mkdir()
                    alone.append(run(command, folder / "log")[1])
                    shutil.rmtree(folder)
                    continue
                with self.cluster(3, "--slots", 1) as cluster:
                    before = cluster.cpu()
                    job = self.submit(cluster.nodes[1], scenes)
                    cluster.nodes[1].wait(f"/jobs/{job}", is_complete, 1800)
                    together.append(cluster.cpu() - before)
        print(f"\nThree nodes on this machine, two SAFE granules of 10980 px, NDVI: {statistics.median(together):.1f} s "
              f"of CPU; arbutus run: {statistics.median(alone):.1f} s (medians of {self.options.runs})")
        self.verdicts.most("CPU of three nodes / arbutus run", statistics.median(together) / statistics.median(alone),
                           1.15)

    def scaling(self):
        """Half an hour: one node of a tenth of a core takes most of it."""
        scenes = self.scenes(10980, "safe")
        took = {}
        for count in (1, 8):
            for _ in range(max(1, self.options.runs // 2)):
                with self.cluster(count, "--slots", 1, share=0.1) as cluster:
                    job = self.submit(cluster.nodes[0], scenes)
                    cluster.nodes[0].wait(f"/jobs/{job}", lambda status: status["phase"] == "running", 300, 0.05)
                    begin = time.monotonic()
                    cluster.nodes[0].wait(f"/jobs/{job}", lambda status: status["phase"] != "running", 3600, 0.05)
                    rendered = time.monotonic() - begin
                    cluster.nodes[0].wait(f"/jobs/{job}", is_complete, 3600, 0.05)
                    took.setdefault(count, []).append((rendered, time.monotonic() - begin))
        one, eight = ([statistics.median(t) for t in zip(*took[count])] for count in (1, 8))
        print(f"\nEach node held to a tenth of a core, two SAFE granules of 10980 px, NDVI: one node {one[0]:.1f} s "
              f"(with its outputs {one[1]:.1f} s), eight {eight[0]:.1f} s ({eight[1]:.1f} s)")
        self.verdicts.least("efficiency of eight nodes, planning and outputs apart", one[0] / eight[0] / 8, 0.85)
        print(f"  with outputs: {one[1] / eight[1] / 8:.2f}")

    def takeover(self):
        scenes = self.scenes(10980, "cog")
        waits, twice = [], []
        for _ in range(self.options.kills):
            with self.cluster(5, "--slots", 1) as cluster:
                job = self.started(cluster, scenes, random.uniform(0.1, 0.6))
                old = self.coordinator(cluster, job)
                others = [node for node in cluster.nodes if node is not old]
                known = others[0].get(f"/jobs/{job}/tasks")["progress"]
                finished = sum(node.metrics()['arbutus_tasks_total{outcome="finished"}'] for node in others)
                begin, gone = time.monotonic(), old.id
                old.kill()
                found = None
                while not found:
                    for node in others:
                        status = node.get(f"/jobs/{job}")
                        if status and status["coordinator"] != gone and status["phase"] in ("running", "assembling"):
                            found = status
                    time.sleep(0.01)
                waits.append(time.monotonic() - begin)
                others[0].wait(f"/jobs/{job}", is_complete, 600)
                made = sum(node.metrics()['arbutus_tasks_total{outcome="finished"}'] for node in others) - finished
                twice.append(max(0, made - (known["count"] - known["done"])))
        print(f"\nThe coordinator killed, five nodes, {self.options.kills} times: another at work after "
              f"{', '.join(f'{w:.2f}' for w in sorted(waits))} s")
        self.verdicts.most("median", statistics.median(waits), 2.5, " s")
        self.verdicts.most("the most", max(waits), 4, " s")
        self.verdicts.most("tasks computed again that were done before", max(twice), 0)

    def stopped(self):
        scenes = self.scenes(5490, "safe")
        waits = []
        for _ in range(self.options.kills):
            with self.cluster(4, "--slots", 1, share=0.25) as cluster:
                job = self.started(cluster, scenes, 0.1)
                head = self.coordinator(cluster, job)
                victim = random.choice([node for node in cluster.nodes if node is not head])
                name = victim.id
                victim.process.send_signal(signal.SIGSTOP)
                begin = time.monotonic()

                def is_rid(grid):
                    """No undone task is the stopped node's any more."""
                    place = grid["nodes"].index(name) if name in grid["nodes"] else -1
                    return not any(task.get("node") == place and task["state"] in ("running", "queued")
                                   for task in grid["tasks"])
                assert not is_rid(head.get(f"/jobs/{job}/tasks")), "the stopped node had no task"
                head.wait(f"/jobs/{job}/tasks", is_rid, 60, 0.05)
                waits.append(time.monotonic() - begin)
        print(f"\nA worker stopped, four nodes at a quarter of a core, {self.options.kills} times: none of its tasks is "
              f"its own any more after {', '.join(f'{w:.2f}' for w in sorted(waits))} s")
        self.verdicts.most("the most", max(waits), 4, " s")

    def wait(self):
        """From running dry to the next tasks, by the nodes' own histograms."""
        scenes = self.scenes(10980, "cog")
        count = os.cpu_count()
        groups = {}
        for _ in range(4 * self.options.runs):
            with self.cluster(count, "--slots", 1) as cluster:
                job = self.submit(cluster.nodes[0], scenes)
                cluster.nodes[0].wait(f"/jobs/{job}", is_complete, 600)
                for node in cluster.nodes:
                    for name, value in node.metrics().items():
                        if name.startswith("arbutus_grant_wait_seconds_bucket"):
                            bound = float(name.split('"')[1])
                            groups[bound] = groups.get(bound, 0) + value
        total = groups[float("inf")]
        print(f"\nFrom running dry to the next tasks, {count} nodes on as many cores, {total:.0f} waits (upper bounds of "
              "groups)")
        before = 0
        for bound, count in sorted(groups.items()):
            if count > before:
                print(f"  up to {bound * 1000:g} ms: {count - before:.0f}")
            before = count
        for share, goal in ((0.5, 3), (0.99, 50)):
            bound = min(b for b, n in groups.items() if n >= share * total)
            self.verdicts.most(f"p{share * 100:.0f}", bound * 1000, goal, " ms")

    def idle(self):
        with self.cluster(3) as cluster:
            job = self.submit(cluster.nodes[0], self.scenes(10980, "cog"))
            cluster.nodes[0].wait(f"/jobs/{job}", is_complete, 600)
            time.sleep(10)
            before, begin = cluster.cpu(), time.monotonic()
            time.sleep(60)
            share = 100 * (cluster.cpu() - before) / (time.monotonic() - begin) / 3
            memory = max(node.private_bytes() for node in cluster.nodes) / 1e6
        print("\nThree idle nodes after a job, a minute")
        self.verdicts.most("CPU of a node", share, 1, " % of a core")
        self.verdicts.most("memory of the largest, files apart", memory, 80, " MB")


def cluster(options):
    """Measures the parts; whether the goals hold."""
    bench = ClusterBench(options)
    for part in PARTS:
        if not options.only or part in options.only:
            getattr(bench, part)()
    # What failed leaves its nodes' logs.
    shutil.rmtree(bench.scratch, ignore_errors=True)
    return bench.verdicts.end()
