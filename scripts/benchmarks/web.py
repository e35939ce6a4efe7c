"""The web API of one node, beside titiler."""
import json
import math
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request

from measuring import Verdicts, run
from nodes import Cluster, free_ports

PAGE_FILES = ["/", "/theme.js", "/app.js", "/app.css", "/dom.js", "/api.js", "/page-map.js", "/page-jobs.js",
              "/basemap.js", "/point.js", "/favicon.svg", "/leaflet/leaflet.js", "/leaflet/leaflet.css"]

PLAYER = pathlib.Path(__file__).parents[2] / ".build-python/bin/python"


def tiles_of(bbox, zooms):
    """Names of the tiles that touch a box."""
    def place(longitude, latitude, zoom):
        y = math.asinh(math.tan(math.radians(latitude)))
        return int((longitude / 360 + 0.5) * 2 ** zoom), int((0.5 - y / (2 * math.pi)) * 2 ** zoom)
    for zoom in zooms:
        (left, top), (right, bottom) = place(bbox[0], bbox[3], zoom), place(bbox[2], bbox[1], zoom)
        yield from ((zoom, x, y) for x in range(left, right + 1) for y in range(top, bottom + 1))


class Titiler:
    """titiler with one worker; its Python is PEER_TITILER."""

    def __init__(self, python):
        self.port, = free_ports(1)
        self.process = subprocess.Popen(
            [python, "-m", "uvicorn", "titiler.application.main:app", "--port", str(self.port), "--log-level", "error"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.1)

    def seconds(self, tile, tiff):
        z, x, y = tile
        query = urllib.parse.urlencode({"url": str(tiff), "rescale": "-1,1", "colormap_name": "rdylgn"})
        start = time.perf_counter()
        address = f"http://127.0.0.1:{self.port}/cog/tiles/WebMercatorQuad/{z}/{x}/{y}.png?{query}"
        with urllib.request.urlopen(address) as answer:
            answer.read()
        return time.perf_counter() - start

    def end(self):
        self.process.kill()
        self.process.wait()


class Streams:
    """Clients of one event stream that read whatever comes; counts events of the first."""

    def __init__(self, port, path, count):
        self.clients, self.events, self.is_over = [], 0, False
        for _ in range(count):
            client = socket.create_connection(("127.0.0.1", port))
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
            self.clients.append(client)
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        while not self.is_over:
            for place, client in enumerate(self.clients):
                client.setblocking(False)
                try:
                    text = client.recv(1 << 20)
                except BlockingIOError:
                    continue
                if place == 0:
                    self.events += text.count(b"\ndata:")
            time.sleep(0.5)

    def end(self):
        self.is_over = True
        self.thread.join()
        for client in self.clients:
            client.close()


def tiles(node, verdicts, scenes, folder):
    job = node.submit(scenes)
    node.wait(f"/jobs/{job}", lambda status: status["state"] == "complete")
    bbox = json.loads(node.ask(f"/jobs/{job}/tasks")[0])["bbox"]
    places = list(tiles_of(bbox, range(10, 15)))[:150]
    names = [f"/jobs/{job}/tiles/{z}/{x}/{y}.png" for z, x, y in places]
    cold, warm = ([node.ask(name)[1] * 1000 for name in names] for _ in range(2))
    print(f"\nMap tiles of a finished mosaic, {len(names)} of zoom 10 to 14")
    verdicts.most("cold, p50", statistics.median(cold), 15, " ms")
    verdicts.most("warm, p50", statistics.median(warm), 2, " ms")
    python = os.environ.get("PEER_TITILER")
    if not python:
        return print("  titiler: skipped, PEER_TITILER names no Python that has it")
    (folder / "ndvi.tif").write_bytes(node.ask(f"/artifacts/{job}/ndvi.tif")[0])
    titiler = Titiler(python)
    try:
        titiler.seconds(places[0], folder / "ndvi.tif")  # its first answer loads what it needs
        theirs = [[titiler.seconds(place, folder / "ndvi.tif") * 1000 for place in places] for _ in range(2)]
    finally:
        titiler.end()
    first, second = (statistics.median(times) for times in theirs)
    print(f"  titiler, the same tiles: {first:.1f} ms, again {second:.1f} ms")
    verdicts.most("cold / titiler", statistics.median(cold) / first, 1)
    verdicts.most("warm / titiler", statistics.median(warm) / second, 1)


def page(node, verdicts):
    weight = sum(len(node.ask(name, headers={"Accept-Encoding": "gzip"})[0]) for name in PAGE_FILES)
    print("\nThe map page")
    verdicts.most("without its map", weight / 1000, 300, " kB")
    if not PLAYER.exists() or not shutil.which("chromium"):
        return print("  first paint: skipped, scripts/setup --test installs the browser")
    script = pathlib.Path(__file__).with_name("paint.py")
    told = subprocess.run([PLAYER, script, f"http://127.0.0.1:{node.web}/", "11"], check=True, capture_output=True)
    verdicts.most("first paint, Chromium, empty cache, median of 11", statistics.median(json.loads(told.stdout)), 300,
                  " ms")


def streams(options, verdicts, folder):
    """What clients of event streams cost: memory at an idle node; CPU beside the same job without them."""
    with Cluster(options.arbutus, folder / "idle", 1) as cluster:
        node = cluster.nodes[0]
        before = node.private_bytes()
        clients = Streams(node.web, "/members/events", options.clients)
        time.sleep(5)
        memory = node.private_bytes() - before
        clients.end()
    print(f"\n{options.clients} event streams at one node")
    verdicts.most("memory", memory / 1e6, 100, " MB")
    scenes = folder / "safe"
    run([options.arbutus, "sample", "--out", scenes, "--size", "8192", "--format", "safe"], folder / "log")
    with Cluster(options.arbutus, folder / "streams", 2, "--slots", 1) as cluster:
        worker, node = cluster.nodes
        job = worker.submit(sorted(path for path in scenes.iterdir() if path.is_dir()))

        def is_under_way(grid):
            state = worker.get(f"/jobs/{job}")
            if state["state"] != "running":
                raise SystemExit(f"bench: the job is {state['state']}: {state.get('message')}")
            return (grid.get("progress") or {}).get("done", 0) > 4
        worker.wait(f"/jobs/{job}/tasks", is_under_way, 300)

        def cost(seconds=8):
            before, begin = node.cpu_beside_tasks(), time.monotonic()
            time.sleep(seconds)
            return 100 * (node.cpu_beside_tasks() - before) / (time.monotonic() - begin)
        quiet = cost()
        clients = Streams(node.web, f"/jobs/{job}/events", options.clients)
        time.sleep(3)
        seen, begin = clients.events, time.monotonic()
        loud = cost()
        rate = (clients.events - seen) / (time.monotonic() - begin)
        clients.end()
        if node.get(f"/jobs/{job}")["phase"] != "running":
            raise SystemExit("bench: the job ended before its streams were measured")
    verdicts.most(f"CPU with them less without, tasks apart, at {rate:.1f} events/s", loud - quiet, 10, " % of a core")


def web(options):
    """The web API's figures; whether the goals hold."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="arbutus-bench-web-", dir=options.scratch))
    verdicts = Verdicts()
    try:
        data = options.data
        if not data.is_dir():
            data = folder / "scenes"
            run([options.arbutus, "sample", "--out", data, "--size", "4096"], folder / "log")
        with Cluster(options.arbutus, folder / "one", 1) as cluster:
            scenes = sorted(path for path in data.resolve().iterdir() if path.is_dir())
            tiles(cluster.nodes[0], verdicts, scenes, folder)
            page(cluster.nodes[0], verdicts)
        streams(options, verdicts, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return verdicts.end()
