"""Opens a page in Chromium as often as said, each time with an empty cache: milliseconds to the first paint."""
import json
import sys

from playwright.sync_api import sync_playwright

PAINT = """new Promise(tell => new PerformanceObserver(
    list => tell(list.getEntriesByName("first-contentful-paint")[0].startTime)
).observe({type: "paint", buffered: true}))"""


def main():
    url, count = sys.argv[1], int(sys.argv[2])
    times = []
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for _ in range(count):
            context = browser.new_context(viewport={"width": 1280, "height": 800})
            page = context.new_page()
            page.goto(url)
            times.append(page.evaluate(PAINT))
            context.close()
        browser.close()
    print(json.dumps(times))


main()
