"""Activity of a radio's controller (`Cellular Idle time: ...`), of the whole device and of one uid alike."""

from __future__ import annotations

import re
from typing import Any

from powerhal.android.history.text import duration_ms
from powerhal.android.human.words import NUM, RATIO, D, charge_mah

PARTS = {"Cellular": "modem_controller", "Radio": "modem_controller", "WiFi": "wifi_controller",
         "Wifi": "wifi_controller", "Bluetooth": "bluetooth_controller"}  # fmt: skip
TIME = re.compile(rf"({'|'.join(PARTS)}) (Idle|Rx|Tx|Sleep|Scan) time:\s*(?:({D})\s*{RATIO})?")
CHARGE = re.compile(
    rf"({'|'.join(PARTS)}) (Battery drain|Power drain|Monitored rail energy drain): ({NUM}|[0-9]+,[0-9]+) ?mAh"
)
# dBm classes of the modem's transmitter (Android 8.1 on), or plain numbers
LEVELS = ("less than 0dBm", "0dBm to 8dBm", "8dBm to 15dBm", "15dBm to 20dBm", "above 20dBm")
LEVEL = re.compile(rf"(?:({'|'.join(LEVELS)}):|\[([0-9])\])\s*({D})\s*{RATIO}")
CHARGES = {"Battery drain": "power_mah", "Power drain": "power_mah", "Monitored rail energy drain": "rail_mah"}


class Controllers:
    """Reads such lines; the lines of transmit levels belong to the controller that was named last."""

    def __init__(self) -> None:
        self._last: dict[str, Any] | None = None

    def feed(self, parts: dict[str, Any], text: str) -> bool:
        """One line without its indentation; figures go into `parts` under the names of the check-in records."""
        if match := TIME.fullmatch(text):
            self._last = parts.setdefault(PARTS[match[1]], {})
            if match[3]:
                name = "tx_0_ms" if match[2] == "Tx" else f"{match[2].lower()}_ms"
                self._last[name] = duration_ms(match[3])
        elif match := CHARGE.fullmatch(text):
            charge = charge_mah(match[3].replace(",", "."))
            if charge is not None:
                parts.setdefault(PARTS[match[1]], {})[CHARGES[match[2]]] = charge
        elif self._last is not None and (match := LEVEL.fullmatch(text)):
            level = LEVELS.index(match[1]) if match[1] else int(match[2])
            self._last[f"tx_{level}_ms"] = duration_ms(match[3])
        else:
            return False
        return True
