#!/usr/bin/env python3
"""The web UI in Chromium without a window, against three real nodes on loopback.

usage: browser.py ARBUTUS SCENE-FOLDER WORK-FOLDER [CHROMIUM]

Submits a job by drawing a box, watches it run, kills its coordinator, waits until the cluster page says so and the
job is complete, opens the result on the map, clicks a pixel and compares it with the COG. Writes screenshots to
WORK-FOLDER/shots for people to look at, in light, dark and on a phone. Exit code 0: all of it held.
"""
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.request

from playwright.sync_api import expect, sync_playwright


class Node:
    """One `arbutus node`."""

    def __init__(self, program, folder, port, web, seed):
        folder.mkdir(parents=True, exist_ok=True)
        self.web = web
        self.log = open(folder / "log", "wb")
        self.process = subprocess.Popen(
            [program, "node", "--name", folder.name, "--data", str(folder / "data"), "--slots", "1",
             "--memory", "1GB", "--listen", f"127.0.0.1:{port}", "--seed", f"127.0.0.1:{seed}",
             "--web", f"127.0.0.1:{web}"],
            stdout=self.log, stderr=self.log, env={**os.environ, "HOME": str(folder)})

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.web}{path}", timeout=20) as answer:
            return json.load(answer)

    def kill(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=10)
        self.log.close()


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def until(what, seconds, condition):
    """Waits for a condition; its value, or the end with a sentence."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            value = condition()
            if value:
                return value
        except OSError:
            pass
        time.sleep(0.1)
    sys.exit(f"browser: not within {seconds} s: {what}")


def shoot(page, shots, name):
    """One page in light, dark and on a phone."""
    size = page.viewport_size
    for scheme, width, height in [("light", 1360, 860), ("dark", 1360, 860), ("light", 390, 844), ("dark", 390, 844)]:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(700)
        page.screenshot(path=str(shots / f"{name}-{scheme}-{width}.png"))
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(size)


def draw_box(page, scenes, program_node):
    """The form: scenes, a box drawn with the mouse over the middle of what the estimate shows."""
    page.goto(f"http://127.0.0.1:{program_node.web}/#/new")
    page.locator("textarea[name=scenes]").fill("\n".join(scenes))
    page.get_by_label("Title").fill("Drawn by a robot")
    page.get_by_role("button", name="Estimate").click()
    expect(page.locator(".note")).to_contain_text("tasks", timeout=60000)
    page.get_by_role("button", name="Draw a box").click()
    area = page.locator(".new .map").bounding_box()
    x, y = area["x"], area["y"]
    page.mouse.move(x + area["width"] * 0.12, y + area["height"] * 0.2)
    page.mouse.down()
    page.mouse.move(x + area["width"] * 0.5, y + area["height"] * 0.5, steps=6)
    page.mouse.move(x + area["width"] * 0.88, y + area["height"] * 0.8, steps=6)
    page.mouse.up()
    corners = [float(page.locator(f"input[name={name}]").input_value()) for name in ("lat1", "lon1", "lat2", "lon2")]
    assert corners[0] > corners[2] and corners[1] < corners[3], f"the box has the corners {corners}"


def compare_pixel(page, node, job, work):
    """A click on the map tells what the COG has there."""
    area = page.locator(".leaflet-container").bounding_box()
    for share in (0.5, 0.45, 0.55, 0.4, 0.6):
        page.mouse.click(area["x"] + area["width"] * share, area["y"] + area["height"] * share)
        value = page.locator(".popup .value").first
        value.wait_for(timeout=30000)
        if value.inner_text() != "–":
            break
    shown = float(value.get_attribute("data-value"))
    places = page.locator(".popup dl").last.locator("dd").all_inner_texts()
    column, row = (int(text) for text in places[1].split(","))
    cog = work / "ndvi.tif"
    with urllib.request.urlopen(f"http://127.0.0.1:{node.web}/artifacts/{job}/ndvi.tif") as answer:
        cog.write_bytes(answer.read())
    found = subprocess.run(
        ["gdallocationinfo", "-valonly", str(cog), str(column), str(row)],
        capture_output=True, text=True, check=True).stdout
    assert abs(float(found) - shown) < 1e-6, f"the page says {shown}, the COG {found.strip()} at {column}, {row}"
    print(f"browser: pixel {column}, {row}: the page says {shown}, the COG {found.strip()}")


def play(page, nodes, scenes, work):
    shots = work / "shots"
    shots.mkdir(parents=True, exist_ok=True)
    home = nodes[0]
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text)
            if message.type == "error" and "Failed to load resource" not in message.text else None)
    draw_box(page, scenes, home)
    shoot(page, shots, "new")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/#/job/*")
    job = page.url.split("/")[-1]
    until("a task is done", 90, lambda: home.get(f"/jobs/{job}/tasks").get("progress", {}).get("done", 0) > 2)
    page.wait_for_timeout(1500)
    shoot(page, shots, "job-running")
    # The coordinator dies; if it is the node that shows the page, another one leads by its own page.
    leader = home.get(f"/jobs/{job}")["coordinator"]
    ids = {node.get("/members")["node"]: node for node in nodes}
    victim = ids[leader]
    if victim is home:
        home = next(node for node in nodes if node is not victim)
        page.goto(f"http://127.0.0.1:{home.web}/#/job/{job}")
        page.wait_for_timeout(1000)
    victim.kill()
    page.goto(f"http://127.0.0.1:{home.web}/#/cluster")
    row = page.locator(f'tr[data-node="{leader}"]')
    expect(row).to_have_attribute("data-state", "dead", timeout=60000)
    expect(row).to_contain_text("silent")
    shoot(page, shots, "cluster-one-dead")
    page.goto(f"http://127.0.0.1:{home.web}/#/job/{job}")
    until("the job is complete", 240, lambda: home.get(f"/jobs/{job}")["state"] == "complete")
    expect(page.locator(".chip").first).to_have_text("Complete", timeout=20000)
    page.wait_for_timeout(1500)
    shoot(page, shots, "job-complete")
    page.get_by_role("link", name="Open on the map").click()
    page.locator(".leaflet-tile-loaded").first.wait_for(timeout=30000)
    page.wait_for_timeout(1500)
    shoot(page, shots, "map")
    compare_pixel(page, home, job, work)
    shoot(page, shots, "map-point")
    # The node of the page dies: the others are offered.
    home.kill()
    expect(page.locator("#banner")).to_contain_text("does not answer", timeout=30000)
    shoot(page, shots, "node-gone")
    assert page.locator("#banner a").count() >= 1, "no other node is offered"
    assert not problems, f"the browser complains: {problems[:5]}"


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    program, folder, work = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    chromium = sys.argv[4] if len(sys.argv) > 4 else "/usr/bin/chromium"
    scenes = [str(path) for path in sorted(folder.iterdir()) if path.is_dir()]
    ports = [free_port() for _ in range(6)]
    nodes = [Node(program, work / f"n{place + 1}", ports[place], ports[3 + place], ports[0]) for place in range(3)]
    try:
        until("three nodes know each other", 60, lambda: all(
            sum(member["state"] == "alive" for member in node.get("/members")["members"]) == 3 for node in nodes))
        with sync_playwright() as player:
            browser = player.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1360, "height": 860})
            play(page, nodes, scenes, work)
            browser.close()
    finally:
        for node in nodes:
            node.kill()
    print(f"browser: all held; screenshots in {work / 'shots'}")


main()
