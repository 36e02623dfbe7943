"""`powerhal completion` and `powerhal warmup`: making the command quick to type and quick to answer."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

SHELLS = ("bash", "zsh")


def add(commands: Any) -> None:
    """Register `completion` and `warmup`."""
    completion = commands.add_parser(
        "completion",
        help="completions for your shell",
        description="Print completions for a shell, made from the commands of this installation.",
        epilog='bash: eval "$(powerhal completion bash)" in ~/.bashrc; '
        "zsh: powerhal completion zsh > _powerhal in a folder of $fpath",
    )
    completion.add_argument("shell", choices=SHELLS)
    completion.set_defaults(run=complete)
    warmup = commands.add_parser(
        "warmup",
        help="compile the numeric kernels now, not at the first use",
        description="Compile or load every numeric kernel, so that the first attribution does not wait for it.",
    )
    warmup.add_argument("--json", action="store_true", help="{tier, seconds} on stdout")
    warmup.set_defaults(run=warm)


def complete(args: argparse.Namespace) -> int:
    """Print the completion script of a shell."""
    import shtab

    from powerhal.cli import parser

    print(shtab.complete(parser(), args.shell))
    return 0


def warm(args: argparse.Namespace) -> int:
    """Compile, and say which tier is used from now on and how long it took."""
    from powerhal import kernels

    began = time.monotonic()
    tier = kernels.warmup().tier
    seconds = time.monotonic() - began
    if args.json:
        print(json.dumps({"schema": 1, "tier": tier, "seconds": seconds}))
    else:
        print(f"kernels: {tier}, ready after {seconds:.1f} s")
    return 0
