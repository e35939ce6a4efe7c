#!/usr/bin/env python3
"""Checks outputs with the readers that users have: NAME.tif and NAME.png in a folder, each beside NAME.f32 and
NAME.u8, the raw pixels that they must hold (little endian, rows x columns as the files say).

usage: check_outputs.py FOLDER

A COG must be valid for `rio cogeo validate --strict` and give identical pixels in rasterio and tifffile; a PNG
must give identical indices and colours in PIL and pass pngcheck where that is installed. Prints one line a file;
exits 1 with the reasons when anything differs.
"""

import shutil
import struct
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import rasterio
import tifffile
from PIL import Image
from rio_cogeo.cogeo import cog_validate

Image.MAX_IMAGE_PIXELS = None


def same(a, b):
    """Equal to the bit, every NaN alike."""
    return a.shape == b.shape and np.all((a == b) & (np.signbit(a) == np.signbit(b)) | np.isnan(a) & np.isnan(b))


def halved(a):
    """The 2 x 2 mean of the valid pixels in float32, in the order of RASTER.md."""
    rows, columns = a.shape
    padded = np.full(((rows + 1) // 2 * 2, (columns + 1) // 2 * 2), np.nan, np.float32)
    padded[:rows, :columns] = a
    parts = [padded[y::2, x::2] for y in (0, 1) for x in (0, 1)]
    value = [np.nan_to_num(part, nan=0) for part in parts]
    count = sum((~np.isnan(part)).astype(np.float32) for part in parts)
    total = (value[0] + value[1]) + (value[2] + value[3])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count > 0, total / count, np.float32(np.nan)).astype(np.float32)


def check_cog(path):
    """Yields what is wrong with a COG."""
    valid, errors, remarks = cog_validate(path, strict=True, quiet=True)
    if not valid or errors or remarks:
        yield f"rio cogeo validate --strict: {errors} {remarks}"
    with rasterio.open(path) as file:
        expected = np.fromfile(path.with_suffix(".f32"), "<f4").reshape(file.height, file.width)
        if not same(file.read(1), expected):
            yield "rasterio reads other pixels"
        if file.descriptions != ("ndvi",):
            yield f"rasterio reads the description {file.descriptions}"
        if not np.isnan(file.nodata):
            yield f"rasterio reads nodata {file.nodata}"
        if file.crs is None or file.crs.to_epsg() != 32633:
            yield f"rasterio reads CRS {file.crs}"
        if file.tags(ns="IMAGE_STRUCTURE").get("LAYOUT") != "COG":
            yield "GDAL does not take it for a COG"
        count = len(file.overviews(1))
    level = expected
    for number in range(count):
        level = halved(level)
        with rasterio.open(path, overview_level=number) as file:
            if not same(file.read(1), level):
                yield f"overview {number} has other pixels"
    with tifffile.TiffFile(path) as file:
        pages = file.pages
        if len(pages) != count + 1:
            yield f"tifffile finds {len(pages)} images, not {count + 1}"
        # tifffile fills sparse blocks with its own nodata reading (NaN here).
        if not same(pages[0].asarray(), expected):
            yield "tifffile reads other pixels"


def check_png(path):
    """Yields what is wrong with a PNG."""
    with Image.open(path) as image:
        image.load()
        expected = np.fromfile(path.with_suffix(".u8"), np.uint8).reshape(image.height, image.width)
        if image.mode != "P" or not np.array_equal(np.asarray(image), expected):
            yield "PIL reads other indices"
        if image.info.get("transparency") not in (0, b"\0"):
            yield f"PIL reads transparency {image.info.get('transparency')}"
        colours = image.getpalette()
        if len(colours) != 768 or colours[3:6] != [165, 0, 38] or colours[765:] != [0, 104, 55]:
            yield "PIL reads other colours"
    if shutil.which("pngcheck"):
        run = subprocess.run(["pngcheck", "-q", str(path)], capture_output=True, text=True)
        if run.returncode != 0:
            yield f"pngcheck: {run.stdout.strip()}"


def main():
    folder = Path(sys.argv[1])
    warnings.simplefilter("ignore")
    failed = False
    files = sorted(folder.glob("*.tif")) + sorted(folder.glob("*.png"))
    if not files:
        sys.exit(f"no .tif or .png in {folder}")
    for path in files:
        check = check_cog if path.suffix == ".tif" else check_png
        try:
            faults = list(check(path))
        except (OSError, ValueError, struct.error, rasterio.errors.RasterioError) as error:
            faults = [f"{type(error).__name__}: {error}"]
        failed = failed or bool(faults)
        print(f"{path.name}: {'; '.join(faults) or 'good'}")
    sys.exit(1 if failed else 0)


main()
