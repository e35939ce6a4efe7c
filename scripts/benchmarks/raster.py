"""The raster engine beside its peers."""
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile

from measuring import Figures, Verdicts, contest, run


class Bench:
    def __init__(self, options):
        self.options = options
        self.data = options.data.resolve()
        self.peers = options.peers.resolve()
        self.python = os.environ.get("PEER_PY") or str(self.data / "venv/bin/python")
        self.has_peers = self.peers.is_dir() and os.access(self.python, os.X_OK)
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="bench.", dir=options.scratch))
        self.verdicts = Verdicts()

    def ours(self, name, scenes, *more, index=("ndvi",)):
        def make(folder):
            words = [w for i in index for w in ("--index", i)]
            out = folder / "out"
            command = [self.options.arbutus, "run", *scenes, *words, "--mask", "none", "--offset", "0", "--store",
                       folder / "store", "--out", out, "--json", *more]
            return command, None, {"tif": out / f"{index[0]}.tif", "png": out / f"{index[0]}.png"}
        return Figures(name, make)

    def peer(self, name, script, data, *more, environment=None):
        def make(folder):
            path = self.peers / script
            head = [self.python, path] if script.endswith(".py") else ["bash", path]
            out = folder / "out"
            return ([*head, data, out, "ndvi", *more], {"PEER_PY": self.python, **(environment or {})},
                    {"tif": out.with_suffix(".tif"), "png": out.with_suffix(".png")})
        return Figures(name, make)

    def table(self, title, contenders):
        print(f"\n{title}")
        rows = [["", "wall s", "min-max", "CPU s", "peak MB", "TIFF MB", "PNG MB"], *(c.row() for c in contenders)]
        widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
        for r in rows:
            print("  " + "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths))))

    def present(self, name):
        if self.options.only and name not in self.options.only:
            return None
        folder = self.data / name
        if folder.is_dir():
            return folder
        print(f"\n{name}: skipped, {folder} is not there (peers/README.md says how to make it)")
        return None

    # --- the parts ---

    def full(self):
        data = self.present("W-full")
        if not data:
            return
        scenes = [data / "T10UDB", data / "T10UEB"]
        ours = self.ours("arbutus", scenes)
        both = self.ours("arbutus ndvi+ndsi", scenes, index=("ndvi", "ndsi"))
        contenders = [ours, both]
        if self.has_peers:
            tuned = self.peer("rasterio tuned", "peer_rasterio.py", data, "--level", "1", "--pnglevel", "1")
            default = self.peer("rasterio default", "peer_rasterio.py", data)
            contenders += [tuned, default]
        contest(contenders, self.options.runs, self.scratch)
        self.table("W-full, NDVI: two granules of 10980 px, COG + PNG", contenders)
        if self.has_peers:
            self.verdicts.most("CPU / tuned rasterio", ours.cpu / tuned.cpu, 0.40)
            self.verdicts.most("wall / tuned rasterio", ours.wall / tuned.wall, 0.40)
            print(f"  CPU / default rasterio: {ours.cpu / default.cpu:.2f}, wall: {ours.wall / default.wall:.2f}")
        self.verdicts.most("peak memory", ours.peak / 1e6, 600, " MB")
        self.verdicts.most("TIFF", ours.sizes["tif"] / 1e6, 870, " MB")
        self.verdicts.most("PNG", ours.sizes["png"] / 1e6, 106, " MB")
        # The two indices, which share no band, share next to nothing: NDSI alone costs 0.9 of NDVI.
        self.verdicts.most("NDVI and NDSI / NDVI alone, wall", both.wall / ours.wall, 1.8)
        self.verdicts.most("NDVI and NDSI / NDVI alone, CPU", both.cpu / ours.cpu, 1.8)
        if self.has_peers:
            self.compare(ours, tuned)

    def jp2(self):
        data = self.present("W-full-jp2")
        if not data:
            return
        scenes = sorted(data.glob("*.SAFE"))
        ours = self.ours("arbutus", scenes)
        both = self.ours("arbutus ndvi+ndsi", scenes, index=("ndvi", "ndsi"))
        contenders = [ours, both]
        if self.has_peers:
            default = self.peer("rasterio default", "peer_rasterio.py", data)
            contenders.append(default)
        contest(contenders, self.options.runs, self.scratch)
        self.table("W-full-jp2, NDVI: the same from JPEG 2000", contenders)
        self.verdicts.most("NDVI and NDSI / NDVI alone, wall", both.wall / ours.wall, 1.8)
        self.verdicts.most("NDVI and NDSI / NDVI alone, CPU", both.cpu / ours.cpu, 1.8)
        if self.has_peers:
            self.verdicts.most("CPU / default rasterio", ours.cpu / default.cpu, 0.65)
            self.compare(ours, default)
        # Blocks of 1024 in 10980 px: 11 x 11, two bands of two granules.
        summary = json.loads(last_object((self.scratch / ours.name / "log").read_text()))
        self.verdicts.most("JP2 blocks decoded, each once", summary.get("blocksDecoded", 0), 4 * 121)

    def warp(self):
        data = self.present("W-warp")
        if not data:
            return
        # The peer's grid: EPSG:32610 at 10 m, both granules.
        ours = self.ours("arbutus", [data / "T10UDB", data / "T10UEB"], "--crs", "EPSG:32610", "--resolution", "10")
        contenders = [ours]
        if self.has_peers and shutil.which("gdalwarp"):
            warp = self.peer("gdalwarp", "peer_warp_gdal.sh", data)
            contenders.append(warp)
        contest(contenders, self.options.runs, self.scratch)
        self.table("W-warp, NDVI: two UTM zones", contenders)
        if len(contenders) > 1:
            self.verdicts.most("CPU / gdalwarp + gdal_calc", ours.cpu / warp.cpu, 0.35)

    def selection(self):
        """Five scenes over one area: the two granules' acquisitions of a sample."""
        if self.options.only and "select" not in self.options.only:
            return
        sample = self.scratch / "sample"
        run([self.options.arbutus, "sample", "--out", sample, "--size", str(self.options.sample), "--granules", "9"],
            self.scratch / "sample.log")
        scenes = sorted(p for p in sample.iterdir() if "_33TWM_" in p.name)
        contenders = [self.ours(f"--select {rule}", scenes, "--select", rule) for rule in ("mean", "median")]
        contest(contenders, self.options.runs, self.scratch)
        self.table(f"Selection over {len(scenes)} scenes of {self.options.sample} px, NDVI", contenders)
        self.verdicts.most("median / mean, CPU", contenders[1].cpu / contenders[0].cpu, 1.3)

    def threads(self):
        """One thread and two in the render phase, by the run's own summary."""
        data = self.data / "W-full"
        if not data.is_dir() or (self.options.only and "threads" not in self.options.only):
            return
        seconds = {}
        for number in range(self.options.runs):
            for threads in (1, 2) if number % 2 == 0 else (2, 1):
                folder = self.scratch / f"threads-{threads}"
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                command, _, _ = self.ours("", [data / "T10UDB", data / "T10UEB"], "--threads",
                                          str(threads)).make(folder)
                with open(folder / "log", "w") as log:
                    done = subprocess.run([str(w) for w in command], stdout=subprocess.PIPE, stderr=log, check=True)
                seconds.setdefault(threads, []).append(render_seconds(json.loads(done.stdout)))
        if None in seconds[1] + seconds[2]:
            print("\nThreads: skipped, the summary (--json) names no seconds of the render phase")
            return
        one, two = (statistics.median(seconds[n]) for n in (1, 2))
        print(f"\nRender phase, W-full NDVI: one thread {one:.1f} s, two threads {two:.1f} s")
        self.verdicts.least("two threads / one", one / two, 1.85, " times as fast")

    def compare(self, ours, peer):
        """Our pixels against the peer's, bit for bit; the peer writes nodata as -9999."""
        code = """
import sys, numpy as np, rasterio
from rasterio.windows import Window
a, b = (rasterio.open(p) for p in sys.argv[1:])
if a.shape != b.shape or not a.transform.almost_equals(b.transform):
    sys.exit(f'the grids differ: {a.shape} {a.transform[:6]} and {b.shape} {b.transform[:6]}')
differ = masks = valid = 0
for row in range(0, a.height, 1024):
    w = Window(0, row, a.width, min(1024, a.height - row))
    x, y = a.read(1, window=w), b.read(1, window=w)
    vx, vy = ~np.isnan(x), y != -9999
    masks += int((vx != vy).sum()); m = vx & vy; valid += int(m.sum())
    differ += int((x[m].view('u4') != y[m].view('u4')).sum())
print(f'{valid} pixels valid in both, {masks} in one only, {differ} with other bits')
sys.exit(0 if masks == differ == 0 and valid > 0 else 1)
"""
        done = subprocess.run([self.python, "-c", code, str(ours.outputs["tif"]), str(peer.outputs["tif"])],
                              capture_output=True, text=True)
        self.verdicts.note(done.returncode == 0)
        text = (done.stdout + done.stderr).strip().splitlines()[-1:]
        print(f"  pixels against {peer.name}: {'equal' if done.returncode == 0 else 'DIFFERENT'} ({' '.join(text)})")


def last_object(log):
    """The JSON object that ends a run's output, after whatever words came before it."""
    lines = log.splitlines(keepends=True)
    start = max((i for i, line in enumerate(lines) if line.startswith("{")), default=len(lines))
    return "".join(lines[start:]) or "{}"


def render_seconds(summary):
    """The seconds of the render phase in a run's summary, wherever it stands; None if it has none."""
    if isinstance(summary, dict):
        for key, value in summary.items():
            if "render" in key.lower() and isinstance(value, (int, float)):
                return value
            found = render_seconds(value)
            if found is not None:
                return found
    return None


def raster(options):
    """Measures every input that is there; whether the goals hold."""
    bench = Bench(options)
    try:
        if not bench.has_peers:
            print(f"the peers are not installed ({bench.peers}, {bench.python}): ours alone")
        bench.full()
        bench.jp2()
        bench.warp()
        bench.selection()
        bench.threads()
    finally:
        shutil.rmtree(bench.scratch, ignore_errors=True)
    return bench.verdicts.end()
