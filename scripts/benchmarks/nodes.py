"""Nodes on loopback."""
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

from measuring import PAGE

TICKS = os.sysconf("SC_CLK_TCK")
CPU_GROUPS = [pathlib.Path("/sys/fs/cgroup/cpu"), pathlib.Path("/sys/fs/cgroup")]


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class CoreShare:
    """A control group that holds its processes to a share of a core, versions 1 and 2 (cgroups(7))."""

    def __init__(self, name, share):
        root = next(path for path in CPU_GROUPS if path.is_dir())
        self.folder = root / f"arbutus-bench-{os.getpid()}-{name}"
        self.folder.mkdir()
        if (self.folder / "cpu.cfs_quota_us").exists():
            (self.folder / "cpu.cfs_period_us").write_text("10000")
            (self.folder / "cpu.cfs_quota_us").write_text(str(int(10000 * share)))
        else:
            (self.folder / "cpu.max").write_text(f"{int(10000 * share)} 10000")

    def hold(self, pid):
        (self.folder / "cgroup.procs").write_text(str(pid))

    def end(self):
        for _ in range(50):
            try:
                return self.folder.rmdir()
            except OSError:
                time.sleep(0.1)  # its processes are not gone yet


class Node:
    """One node and its HTTP API."""

    def __init__(self, program, folder, name, port, web, seeds, *more, share=None):
        self.name, self.port, self.web = name, port, web
        self.logfile = folder / f"{name}.log"
        self.log = open(self.logfile, "wb")
        self.share = share
        self.process = subprocess.Popen(
            [str(program), "node", "--name", name, "--data", str(folder / name), "--listen", f"127.0.0.1:{port}",
             "--web", f"127.0.0.1:{web}", *(w for s in seeds for w in ("--seed", f"127.0.0.1:{s}")), *map(str, more)],
            stdout=self.log, stderr=self.log, env={**os.environ, "HOME": str(folder)}, start_new_session=True)
        if share:
            share.hold(self.process.pid)
        self.link = http.client.HTTPConnection("127.0.0.1", web, timeout=60)

    def ask(self, path, method="GET", body=None, headers=None):
        """The answer's body and how many seconds it took."""
        start = time.perf_counter()
        try:
            try:
                answer, content = self.exchange(method, path, body, headers)
            except http.client.RemoteDisconnected:  # an idle connection is cut after a while
                answer, content = self.exchange(method, path, body, headers)
        except (OSError, http.client.HTTPException):
            self.link.close()
            raise
        took = time.perf_counter() - start
        if answer.status >= 400:
            sys.exit(f"bench: {path}: {answer.status} {content[:300]}")
        return content, took

    def exchange(self, method, path, body, headers):
        self.link.request(method, path, body=body, headers=headers or {})
        answer = self.link.getresponse()
        return answer, answer.read()

    def get(self, path):
        """The answer as JSON; nil when the node does not answer."""
        try:
            return json.loads(self.ask(path)[0])
        except (OSError, http.client.HTTPException):
            return None

    def wait(self, path, condition, seconds=300, pause=0.2):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.get(path)
            if found is not None and condition(found):
                return found
            time.sleep(pause)
        sys.exit(f"bench: {self.name}: {path} did not come to what was waited for within {seconds} s; its log: "
                 f"{self.logfile}")

    def submit(self, scenes, **more):
        inputs = {"scenes": [str(path) for path in scenes], "indices": ["ndvi"], **more}
        body = json.dumps({"inputs": inputs})
        return json.loads(self.ask("/processes/mosaic/execution", "POST", body)[0])["jobID"]

    def metrics(self):
        text = self.ask("/metrics")[0].decode()
        pairs = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    @property
    def id(self):
        return self.get("/members")["node"]

    def cpu(self):
        """Seconds of CPU so far, those of its ended children included."""
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return sum(map(int, fields[11:15])) / TICKS

    def cpu_beside_tasks(self):
        """The same of the threads that render no task: links, the protocol, the web."""
        total = 0
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            try:
                name, fields = (task / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
            except FileNotFoundError:
                continue  # it ended meanwhile
            if not name.startswith("arbutus worker"):
                total += sum(map(int, fields.split()[11:13]))
        return total / TICKS

    def private_bytes(self):
        """Resident memory that it shares with nobody's file (proc(5))."""
        resident, shared = open(f"/proc/{self.process.pid}/statm").read().split()[1:3]
        return (int(resident) - int(shared)) * PAGE

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        self.process.send_signal(signal.SIGCONT)
        self.kill()
        self.link.close()
        self.log.close()
        if self.share:
            self.share.end()


class Cluster:
    """Nodes that see each other, with a key."""

    def __init__(self, program, folder, count, *more, share=None):
        self.folder = folder
        folder.mkdir(parents=True)
        key = folder / "cluster.key"
        key.touch(mode=0o600)
        key.write_text("5a" * 32)
        ports = free_ports(2 * count)
        self.nodes = []
        try:
            for n in range(count):
                group = CoreShare(f"{folder.name}-{n}", share) if share else None
                self.nodes.append(Node(program, folder, f"n{n}", ports[n], ports[count + n], ports[:min(3, count)],
                                       "--key-file", key, *more, share=group))
            for node in self.nodes:
                node.wait("/members", lambda found: self.living(found) == count, 120)
        except BaseException:
            self.end()
            raise

    @staticmethod
    def living(found):
        return sum(member["state"] == "alive" for member in found["members"])

    def cpu(self):
        return sum(node.cpu() for node in self.nodes if node.process.poll() is None)

    def __enter__(self):
        return self

    def __exit__(self, problem, *_):
        self.end()
        if problem is None:  # gigabytes that the next cluster may need
            shutil.rmtree(self.folder)

    def end(self):
        for node in self.nodes:
            node.end()
