"""Opens pages of `compare` and `analyze` in headless Chromium, as wide as a desk's screen and as a
phone's, light and dark, and turns the view in three dimensions with a mouse.

usage: page.py PICTURES PAGE...    (pictures go to that folder; a page is an index.html)
needs: chromium and chromedriver (Debian: chromium, chromium-driver), nothing of Python's beside its
own library: WebDriver is JSON over HTTP.
"""

import base64, json, pathlib, shutil, socket, subprocess, sys, time, urllib.request

SCREENS = {"desktop": (1280, 900, 1, False), "phone": (390, 844, 1, True)}
QUATERNION = slice(4, 8)
# pixels of a picture: of what is below, Chromium without a card draws the beginning again
TALLEST = 8000


class Browser:
    """A browser, as long as the block lasts."""

    def __enter__(self):
        with socket.socket() as some:
            some.bind(("127.0.0.1", 0))
            self.port = some.getsockname()[1]
        driver = shutil.which("chromedriver")
        assert driver, "there is no chromedriver (Debian: chromium-driver)"
        self.driver = subprocess.Popen(
            [driver, f"--port={self.port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        arguments = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage"]
        # WebGL without a graphics card
        arguments += ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        wanted = {
            "goog:chromeOptions": {"args": arguments, "binary": shutil.which("chromium")},
            "goog:loggingPrefs": {"browser": "ALL"},
        }
        for _ in range(100):
            try:
                answer = self.call("POST", "", {"capabilities": {"alwaysMatch": wanted}})
                break
            except urllib.error.URLError as error:
                if isinstance(error, urllib.error.HTTPError):
                    raise SystemExit(error.read().decode())
                time.sleep(0.1)
        else:
            raise SystemExit("chromedriver does not answer")
        self.session = answer["sessionId"]
        return self

    def __exit__(self, *_):
        self.call("DELETE", f"/{self.session}")
        self.driver.terminate()
        self.driver.wait()

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/session{path}",
            json.dumps(body).encode() if body is not None else None,
            {"Content-Type": "application/json"},
            method=method,
        )
        return json.load(urllib.request.urlopen(request, timeout=300))["value"]

    def post(self, path, body):
        return self.call("POST", f"/{self.session}/{path}", body)

    def script(self, text):
        return self.post("execute/sync", {"script": text, "args": []})

    def devtools(self, command, **parameters):
        self.post("goog/cdp/execute", {"cmd": command, "params": parameters})

    def show(self, page, screen, scheme):
        width, height, scale, mobile = SCREENS[screen]
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=mobile,
        )
        colours = [{"name": "prefers-color-scheme", "value": scheme}]
        self.devtools("Emulation.setEmulatedMedia", features=colours)
        self.post("url", {"url": page.resolve().as_uri()})

    def errors(self):
        log = self.post("se/log", {"type": "browser"})
        return [entry["message"] for entry in log if entry["level"] == "SEVERE"]

    def picture(self, path, whole=True):
        size = self.script(
            "return [document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        )
        if whole:
            height = min(size[1], TALLEST)
            clip = {"x": 0, "y": 0, "width": size[0], "height": height, "scale": 1}
            asked = {"captureBeyondViewport": True, "clip": clip}
            body = {"cmd": "Page.captureScreenshot", "params": asked}
            data = self.post("goog/cdp/execute", body)["data"]
        else:
            data = self.call("GET", f"/{self.session}/screenshot")
        path.write_bytes(base64.b64decode(data))

    def drag(self, across, up):
        """Presses the mouse in the middle of the view, moves it and lets go."""
        self.script("document.getElementById('view').scrollIntoView({block: 'center'})")
        x, y = self.script(
            "const box = document.getElementById('view').getBoundingClientRect();"
            "return [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)]"
        )
        to = {"type": "pointerMove", "duration": 200, "origin": "viewport"}
        steps = [
            {**to, "x": x, "y": y, "duration": 0},
            {"type": "pointerDown", "button": 0},
            {**to, "x": x + across, "y": y + up},
            {"type": "pointerUp", "button": 0},
        ]
        mouse = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}}
        self.post("actions", {"actions": [{**mouse, "actions": steps}]})


VIEW = "return document.getElementById('view').viewer.getView()"
PIXELS = "return document.querySelector('#view canvas').toDataURL()"


def luminance(browser, paper="body"):
    """of the element that is the paper, 0 to 255"""
    style = f"getComputedStyle(document.querySelector('{paper}'))"
    colour = browser.script(f"return {style}.backgroundColor")
    numbers = [float(x) for x in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    return sum(numbers) / 3


def turn(browser, name):
    before, pixels = browser.script(VIEW), browser.script(PIXELS)
    browser.drag(140, 60)
    after = browser.script(VIEW)
    turned = max(abs(a - b) for a, b in zip(before[QUATERNION], after[QUATERNION]))
    assert turned > 0.05, f"{name}: the view did not turn: {before} {after}"
    assert browser.script(PIXELS) != pixels, f"{name}: the picture is the same"
    # the wheel brings it nearer
    x, y = browser.script(
        "const box = document.getElementById('view').getBoundingClientRect();"
        "return [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)]"
    )
    wheel = {"type": "scroll", "x": x, "y": y, "deltaX": 0, "deltaY": -300}
    actions = [{**wheel, "duration": 100, "origin": "viewport"}]
    browser.post("actions", {"actions": [{"type": "wheel", "id": "wheel", "actions": actions}]})
    assert browser.script(VIEW)[3] != after[3], f"{name}: the wheel does nothing"
    # every choice shows another picture
    seen = {browser.script(PIXELS)}
    choices = browser.script("return document.querySelectorAll('input[name=side]').length")
    for choice in range(1, choices):
        browser.script(f"document.querySelectorAll('input[name=side]')[{choice}].click()")
        seen.add(browser.script(PIXELS))
    assert len(seen) == choices, f"{name}: {choices} choices, {len(seen)} pictures"
    return turned


def look(browser, page, pictures):
    for screen in SCREENS:
        for scheme in ("light", "dark"):
            name = f"{page.parent.name}-{screen}-{scheme}"
            browser.show(page, screen, scheme)
            errors = browser.errors()
            assert not errors, f"{name}: {errors}"
            wide = browser.script("return document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{name}: {wide} px wider than the screen"
            light = luminance(browser)
            assert (light > 200) == (scheme == "light"), f"{name}: paper of {light}"
            browser.picture(pictures / f"{name}.png")
            if browser.script("return document.getElementById('view') !== null"):
                turned = turn(browser, name)
                browser.picture(pictures / f"{name}-turned.png", whole=False)
                print(f"{name}: turned by {turned:.2f} of a quaternion")
            else:
                raise SystemExit(f"{name}: there is no view in three dimensions")


def main():
    pictures, pages = pathlib.Path(sys.argv[1]), [pathlib.Path(word) for word in sys.argv[2:]]
    pictures.mkdir(parents=True, exist_ok=True)
    assert pages, __doc__
    with Browser() as browser:
        for page in pages:
            look(browser, page, pictures)
    print(f"{len(pages)} pages passed")


if __name__ == "__main__":
    main()
