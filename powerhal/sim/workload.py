"""What the phone is used for: scenes in an order of their own for every seed, with the apps in them."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from powerhal.sim.apps import App, Stage
from powerhal.sim.cast import CAST
from powerhal.sim.phone import Phone


@dataclass(frozen=True, slots=True)
class Scene:
    """Some seconds of use: which apps are in front, over which network, with the screen on or off."""

    name: str
    seconds: float
    screen: bool
    apps: tuple[str, ...] = ()
    network: str = "wifi"
    content: float = 0.5


SCENES = (
    Scene("pocket", 9, False),
    Scene("home", 9, True, (), "wifi", 0.42),
    Scene("browser", 20, True, ("browser",), "wifi", 0.74),
    Scene("video", 22, True, ("video",), "wifi", 0.33),
    Scene("game", 22, True, ("game",), "wifi", 0.47),
    Scene("mail", 13, True, ("mail",), "modem", 0.66),
    Scene("update", 18, False, ("updater", "compiler"), "wifi"),
    Scene("browser away", 14, True, ("browser",), "modem", 0.72),
    Scene("music", 15, False, ("music",), "modem"),
    Scene("backup", 10, False, ("photos",), "wifi"),
    Scene("night", 8, False, ("system",)),
)
CYCLE_S = sum(scene.seconds for scene in SCENES)


def programme(rng: Random) -> Iterator[Scene]:
    """Scenes without end, each round in a new order."""
    while True:
        order = list(SCENES)
        rng.shuffle(order)
        yield from order


class Workload:
    """Puts work into the phone step by step; `before(step)` is called ahead of every step."""

    def __init__(self, phone: Phone, seed: int, self_pid: int) -> None:
        rng = Random(f"{seed}/workload")
        self._rng = rng
        self._phone = phone
        self.stage = Stage(phone, rng, self_pid)
        self._scenes = programme(rng)
        self.apps: dict[str, App] = {name: kind(self.stage) for name, kind in CAST.items()}
        self._due: list[tuple[int, int, App]] = []
        for at, app in enumerate(self.apps.values()):
            heapq.heappush(self._due, (rng.randrange(20), at, app))
        self._next_scene = 0
        self.scene = SCENES[0]

    def before(self, step: int) -> None:
        """All events that are due at this step."""
        if step >= self._next_scene:
            self._change(step)
        due = self._due
        while due[0][0] <= step:
            _, at, app = due[0]
            heapq.heapreplace(due, (step + max(1, app.tick(step)), at, app))
        if step % 50 == 0:
            self._drift()
        self.stage.reap(step)

    def _change(self, step: int) -> None:
        scene = next(self._scenes)
        self.scene = scene
        seconds = scene.seconds * self._rng.uniform(0.93, 1.07)
        self._next_scene = step + int(seconds * 100)
        stage, display = self.stage, self._phone.display
        stage.screen = scene.screen
        stage.network = self._phone.modem if scene.network == "modem" else self._phone.wifi
        display.on = scene.screen
        if scene.screen:
            display.brightness = self._rng.uniform(0.15, 0.9)
            display.content = scene.content
        stage.content = scene.content
        stage.sound = scene.name in ("video", "game", "music")
        for name, app in self.apps.items():
            app.front = name in scene.apps
        self._due = [(step + at % 7 if app.front else when, at, app) for when, at, app in self._due]
        heapq.heapify(self._due)

    def _drift(self) -> None:
        """Every half second: what is shown changes, and what code does with its cycles."""
        rng, stage = self._rng, self.stage
        display = self._phone.display
        display.content = min(1.0, max(0.03, stage.content + rng.gauss(0.0, 0.07)))
        if display.on and rng.random() < 0.04:
            display.brightness = min(1.0, max(0.1, display.brightness * rng.uniform(0.8, 1.25)))
        for process in self._phone.processes.values():
            process.kappa_now = process.kappa * (1.0 + rng.gauss(0.0, 0.02))
