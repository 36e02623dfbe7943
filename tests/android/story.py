"""A day of a phone that never was: usage, physics and gauge by the second, as a check-in dump with known truth.

Written without any of the formulas under test: power is the sum of what each part draws each second, the gauge
integrates it with errors of its own, and only what Android would print comes out. `Story.truth` has the joules of
every device and uid and of idle, over exactly the seconds between the first and last battery step given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

APPS = {10101: "com.example.video", 10102: "com.example.chat", 10103: "com.example.browser",
        10104: "com.example.maps", 10105: "com.example.game", 10106: "com.example.music"}  # fmt: skip
BIN_MIDDLES = (0.1, 0.3, 0.5, 0.7, 0.9)
START_MS = 1_700_000_000_000


@dataclass(frozen=True)
class Phone:
    """Watts of one simulated phone's parts; `app_w`: of each app in front, beside the display."""

    base_w: float
    awake_w: float
    screen_w: float
    bright_w: float
    mobile_w: float
    weak_w: float
    wifi_w: float
    gps_w: float
    audio_w: float
    camera_w: float
    job_w: float
    app_w: dict[int, float] = field(default_factory=dict)


def phone(rng: np.random.Generator) -> Phone:
    """A phone drawn at random around usual figures, a factor of 1.4 either way."""

    def around(watts: float) -> float:
        return float(watts * np.exp(0.35 * rng.standard_normal()))

    apps = {uid: around(0.7) for uid in APPS}
    parts = [around(w) for w in (0.06, 0.25, 0.45, 0.9, 0.8, 0.6, 0.5, 0.3, 0.12, 1.3, 0.4)]
    return Phone(*parts, app_w=apps)


class Story:
    """`hours` on battery; `gauge`: `level` or `charge`; `charging`: a stretch on a charger in the middle.

    meters: rails that the phone measures, as Android 11 to 13 book them (`apart`) or as Android 14 does (`joint`).
    """

    def __init__(
        self, seed: int, hours: float = 12.0, gauge: str = "charge", *, charging: bool = True, meters: str = ""
    ) -> None:
        self.rng = np.random.default_rng(seed)
        self.n = int(hours * 3600)
        self.gauge = gauge
        self.phone = phone(self.rng)
        self.on: dict[str, np.ndarray[Any, Any]] = {}
        self.owner: dict[str, np.ndarray[Any, Any]] = {}
        self._usage()
        self.plugged = np.zeros(self.n, dtype=bool)
        if charging:
            middle = self.n // 2
            self.plugged[middle : middle + self.n // 12] = True
        self._power()
        self._gauge()
        self._meters(meters, np.random.default_rng(seed + 1_000_000))

    # -- what the user does --------------------------------------------------------------------

    def _usage(self) -> None:
        rng, n = self.rng, self.n
        off = {k: np.zeros(n, dtype=bool) for k in ("screen", "running", "mobile_radio", "wifi_radio", "gps", "audio",
                                                    "camera", "job")}  # fmt: skip
        self.on = off
        self.brightness = np.zeros(n, dtype=int)
        self.weak = np.zeros(n, dtype=bool)
        self.owner = {k: np.full(n, -1) for k in ("top", "job", "awake", "mobile", "wifi", "gps", "audio", "camera")}
        likes = rng.dirichlet(np.full(len(APPS), 1.5))
        uids = np.array(list(APPS))
        at_home, weak, t = True, False, 0
        while t < n:
            if rng.random() < 0.15:
                at_home = not at_home
            weak = rng.random() < 0.3
            pause = int(rng.exponential(500)) + 20
            self._asleep(t, min(t + pause, n), at_home, weak, uids)
            t += pause
            session = int(rng.exponential(240)) + 15
            self._session(t, min(t + session, n), at_home, weak, uids, likes)
            t += session

    def _asleep(self, start: int, end: int, at_home: bool, weak: bool, uids: Any) -> None:
        """Jobs wake the phone now and then; some listen to music with the display off."""
        rng = self.rng
        self.weak[start:end] = weak
        if rng.random() < 0.15 and end - start > 60:
            self._mark("audio", start, end, 10106)
            self._awake(start, end, 10106)
        t = start
        while (t := t + int(rng.exponential(150)) + 5) < end:
            uid, stop = int(rng.choice(uids)), min(t + int(rng.integers(3, 40)), end)
            self._awake(t, stop, uid)
            self.on["job"][t:stop] = True
            self.owner["job"][t:stop] = uid
            if rng.random() < 0.6:
                self._net(t, stop, at_home, uid)
            t = stop

    def _awake(self, start: int, end: int, uid: int) -> None:
        self.on["running"][start:end] = True
        free = self.owner["awake"][start:end] < 0
        self.owner["awake"][start:end][free] = uid

    def _session(self, start: int, end: int, at_home: bool, weak: bool, uids: Any, likes: Any) -> None:
        rng = self.rng
        self.on["screen"][start:end] = self.on["running"][start:end] = True
        self.weak[start:end] = weak
        self.brightness[start:end] = rng.integers(0, 5)
        t = start
        while t < end:
            uid = int(rng.choice(uids, p=likes))
            stop = min(t + int(rng.exponential(90)) + 5, end)
            self.owner["top"][t:stop] = uid
            if uid == 10101:
                self._mark("audio", t, stop, uid)
            if uid == 10104 and rng.random() < 0.8:
                self._mark("gps", t, stop, uid)
            if uid == 10102 and rng.random() < 0.15:
                self._mark("camera", t, min(stop, t + 20), uid)
            u = t
            while u < stop:
                burst = int(rng.exponential(12)) + 2
                self._net(u, min(u + burst, stop), at_home, uid)
                u += burst + int(rng.exponential(20)) + 1
            t = stop

    def _mark(self, name: str, start: int, end: int, uid: int) -> None:
        self.on[name][start:end] = True
        self.owner[name][start:end] = uid

    def _net(self, start: int, end: int, at_home: bool, uid: int) -> None:
        state, name = ("wifi_radio", "wifi") if at_home else ("mobile_radio", "mobile")
        self.on[state][start:end] = True
        self.owner[name][start:end] = uid

    # -- what that draws -----------------------------------------------------------------------

    def _power(self) -> None:
        p, on = self.phone, self.on
        asleep_awake = on["running"] & ~on["screen"]
        drift = np.repeat(np.exp(0.25 * self.rng.standard_normal(self.n // 60 + 1)), 60)[: self.n]
        in_front = np.zeros(self.n)
        for uid, watts in p.app_w.items():
            in_front += watts * (self.owner["top"] == uid)
        middles = np.array(BIN_MIDDLES)[self.brightness]
        self.parts: dict[str, tuple[np.ndarray[Any, Any], str]] = {
            "cpu/front": (in_front * drift, "top"),
            "cpu/awake": (p.awake_w * asleep_awake * drift, "awake"),
            "cpu/job": (p.job_w * on["job"] * drift, "job"),
            "screen": ((p.screen_w + p.bright_w * middles) * on["screen"], "top"),
            "mobile_radio": ((p.mobile_w + p.weak_w * self.weak) * on["mobile_radio"], "mobile"),
            "wifi": (p.wifi_w * on["wifi_radio"], "wifi"),
            "gnss": (p.gps_w * on["gps"], "gps"),
            "audio": (p.audio_w * on["audio"], "audio"),
            "camera": (p.camera_w * on["camera"], "camera"),
        }
        self.power = p.base_w + sum(w for w, _ in self.parts.values())

    def _gauge(self) -> None:
        rng = self.rng
        named = 4000.0
        true_mah = named * (1 + 0.03 * rng.standard_normal())
        self.volt = np.empty(self.n)
        charge, out = true_mah * 0.98, np.empty(self.n)
        for t in range(self.n):
            v = 3.5 + 0.75 * charge / true_mah - 0.03 * self.power[t]
            self.volt[t] = v
            if self.plugged[t]:
                charge = min(charge + 2000 / 3600, true_mah * 0.98)
            else:
                charge = max(charge - self.power[t] / v / 3.6, 1.0)
            out[t] = charge
        self.named_mah = named
        shown = named if self.gauge == "level" else true_mah
        self.level = np.clip(np.ceil(100 * out / true_mah + 0.1 * rng.standard_normal()), 0, 100).astype(int)
        self.counter = np.floor(out * (1 + 0.015 * rng.standard_normal()) * shown / shown).astype(int)

    def _meters(self, meters: str, rng: np.random.Generator) -> None:
        """Energy of the radios' rails since boot as charge at 3.7 V; each meter is off by some percent."""
        self.counted: dict[str, np.ndarray[Any, Any]] = {}
        sums = {
            token: np.cumsum(self.parts[name][0] + 0.01) * (1 + 0.03 * rng.standard_normal()) / 3.7 / 3.6 + 40
            for token, name in (("Mrc", "mobile_radio"), ("Wrc", "wifi"))
        }
        if meters == "apart":
            self.counted = sums
        elif meters == "joint":
            self.counted = {"Wrc": sums["Mrc"] + sums["Wrc"]}

    # -- what Android prints -------------------------------------------------------------------

    def text(self) -> str:
        """The dump as check-in lines of Android 14."""
        return "\n".join([*self._head(), *self._pool(), *self._history(), *self._sums(), ""])

    def _head(self) -> list[str]:
        version = "35,208" if "Mrc" in self.counted else "36,214"
        return [f"9,0,i,vers,{version},AP1A,AP1A", *(f"9,0,i,uid,{uid},{name}" for uid, name in APPS.items())]

    def _pool(self) -> list[str]:
        rows = [f'9,hsp,{k},{uid},"{name}"' for k, (uid, name) in enumerate(APPS.items())]
        return rows + [f'9,hsp,{k + 10},{uid},"{name}/.Job"' for k, (uid, name) in enumerate(APPS.items())]

    def _history(self) -> list[str]:
        bits = {"screen": "S", "running": "r", "mobile_radio": "Pr", "wifi_radio": "Wr", "gps": "g", "audio": "a",
                "camera": "ca"}  # fmt: skip
        arrays = {token: self.on[name] for name, token in bits.items()} | {"BP": self.plugged}
        index = {uid: k for k, uid in enumerate(APPS)}
        lines = [f"9,h,0:RESET:TIME:{START_MS}"]
        last = dict.fromkeys(arrays, False)
        top = job = -1
        bright, weak, level, counter, volt, asked = 0, None, None, None, None, -999
        counts: dict[str, str] = {}
        now = 0
        for t in range(self.n):
            tokens: list[str] = []
            if level != self.level[t] and (level is None or t - asked >= 10):
                level = int(self.level[t])
                tokens.append(f"Bl={level}")
            every = 20 if self.on["screen"][t] else 60
            if t - asked >= every or tokens:
                asked = t
                if self.gauge == "charge" and counter != self.counter[t]:
                    counter = int(self.counter[t])
                    tokens.append(f"Bcc={counter}")
                if volt is None or abs(volt - 1000 * self.volt[t]) >= 5:
                    volt = round(1000 * self.volt[t])
                    tokens.append(f"Bv={volt}")
            if t == 0 or self.plugged[t] != self.plugged[t - 1]:
                tokens += ["Bs=c", "Bp=a"] if self.plugged[t] else ["Bs=d", "Bp=n"]
            for token, array in arrays.items():
                if bool(array[t]) != last[token]:
                    last[token] = bool(array[t])
                    tokens.append(("+" if last[token] else "-") + token)
            asks = t == 0 or self.on["screen"][t] != self.on["screen"][t - 1] or any(k[:3] == "Bl=" for k in tokens)
            for token, sums in self.counted.items() if asks else ():
                shown = f"{sums[t]:.2f}".rstrip("0").rstrip(".")
                tokens += [f"{token}={shown}"] if counts.get(token) != shown else []
                counts[token] = shown
            if self.on["screen"][t] and bright != self.brightness[t]:
                bright = int(self.brightness[t])
                tokens.append(f"Sb={bright}")
            if weak != bool(self.weak[t]):
                weak = bool(self.weak[t])
                tokens.append(f"Pss={1 if weak else 3}")
            new_top, new_job = int(self.owner["top"][t]), int(self.owner["job"][t])
            if new_top != top:
                tokens += [f"-Etp={index[top]}"] if top >= 0 else []
                tokens += [f"+Etp={index[new_top]}"] if new_top >= 0 else []
                top = new_top
            if new_job != job:
                tokens += [f"-Ejb={index[job] + 10}"] if job >= 0 else []
                tokens += [f"+Ejb={index[new_job] + 10}"] if new_job >= 0 else []
                job = new_job
            if tokens:
                lines.append(f"9,h,{1000 * (t - now)}," + ",".join(tokens))
                now = t
        return lines

    def _sums(self) -> list[str]:
        ms = 1000 * self.n
        live = ~self.plugged
        out = [f"9,0,l,bt,0,{ms},{ms},{ms},{ms},{START_MS},{ms},{ms},4000,3950000,4050000,0"]
        total = self.drained_mah
        out.append(f"9,0,l,dc,10,11,6,4,{round(total)},0,0,0,0,0")
        out.append(f"9,0,l,pws,4000,{1.5 * total:.0f},{total:.0f},{total:.0f}")
        out.append(f"9,0,l,pwi,scrn,{0.5 * total:.0f},1,0,0")
        for uid in APPS:

            def spent(name: str, uid: int = uid) -> int:
                return int(1000 * np.count_nonzero((self.owner[name] == uid) & live))

            out.append(f"9,{uid},l,pwi,uid,{0.1 * total:.1f},0,0,0")
            radio, wifi = spent("mobile"), spent("wifi") // 100
            out.append(f"9,{uid},l,nt,0,0,0,0,{radio // 10},0,{wifi},0,{radio * 1000},5,0,0,0,0,0,0,0,0,0,0,0,0")
            out.append(f"9,{uid},l,wl,*job*,0,f,0,0,0,0,{spent('awake')},p,9,0,9,9,0,bp,0,0,0,0,0,w,0,0,0,0")
            out.append(f"9,{uid},l,st,{spent('top')},0,0,0,0,0,0")
            for code, name in (("aud", "audio"), ("cam", "camera")):
                out += [f"9,{uid},l,{code},{spent(name)},3"] if spent(name) else []
            out += [f"9,{uid},l,sr,-10000,{spent('gps')},3,0,0,0"] if spent("gps") else []
        return out

    # -- the truth -----------------------------------------------------------------------------

    @property
    def drained_mah(self) -> float:
        """Charge that was drawn on battery."""
        return float((self.power / self.volt)[~self.plugged].sum() / 3.6)

    def truth(self, spans_ms: list[tuple[int, int]]) -> dict[str, float]:
        """Joules within the spans: `device:NAME`, `uid:N`, `idle`, `total`."""
        inside = np.zeros(self.n, dtype=bool)
        for start, end in spans_ms:
            inside[start // 1000 : end // 1000] = True
        out: dict[str, float] = {"total": float(self.power[inside].sum()), "idle": self.phone.base_w * inside.sum()}
        for name, (watts, owner) in self.parts.items():
            device = "device:" + name.split("/")[0]
            out[device] = out.get(device, 0.0) + float(watts[inside].sum())
            for uid in APPS:
                mine = inside & (self.owner[owner] == uid)
                out[f"uid:{uid}"] = out.get(f"uid:{uid}", 0.0) + float(watts[mine].sum())
        return out
