"""`torhaus lora …`: what is in the air, and what is sent. Each subcommand is a module beside this one."""

import argparse
from typing import Any

from torhaus.daemon.cli import lora_decode, lora_queue, lora_send, lora_watch


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The command's place in the command line."""
    command = commands.add_parser("lora", help="LoRaWAN frames: what is in one, what is in the air, downlinks")
    below = command.add_subparsers(dest="what", metavar="WHAT", required=True, parser_class=type(command))
    lora_decode.add(below)
    lora_watch.add(below)
    lora_send.add(below)
    lora_queue.add(below)
