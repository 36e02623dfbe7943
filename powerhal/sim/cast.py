"""Who is on the simulated phone, in the order of the processes' first turns."""

from __future__ import annotations

from powerhal.sim import background, foreground
from powerhal.sim.apps import App

CAST: dict[str, type[App]] = {
    "init": background.Init,
    "kworker": background.KernelWorker,
    "logd": background.Logger,
    "zygote": background.Zygote,
    "compositor": background.Compositor,
    "audio": background.AudioServer,
    "system": background.SystemServer,
    "services": background.Services,
    "music": foreground.Music,
    "mail": foreground.Mail,
    "browser": foreground.Browser,
    "video": foreground.Video,
    "game": foreground.Game,
    "updater": foreground.Updater,
    "compiler": foreground.Compiler,
    "photos": foreground.Photos,
    "powerhal": background.Recorder,
}
