"""What a program in the sandbox sees, and what it may cost."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# Where a system keeps its programs and their libraries; nothing there is a secret, and nothing of ours.
SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store", "/etc/ld.so.cache", "/etc/alternatives",
)  # fmt: skip
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")


@dataclass(frozen=True, slots=True)
class Room:
    """The files of one run: *program* may be read and run, *reads* be read, and in *folder* it starts and may write.

    All else of the machine's files is not there, but what the system keeps for every program.
    """

    program: tuple[Path, ...]
    reads: tuple[Path, ...] = ()
    folder: Path | None = None

    def shown(self) -> list[Path]:
        """Every file and folder that can be read, the system's first; what is under another of them is left out."""
        own = [path.absolute() for path in (*self.program, *self.reads)]
        system = [Path(name) for name in SYSTEM if Path(name).exists()]
        return [*system, *(path for path in own if not any(path.is_relative_to(base) for base in system))]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one run may cost: processor, clock, memory of its address space, size of each file it writes."""

    cpu_s: int
    wall_s: float
    memory_bytes: int
    file_bytes: int

    def command(self) -> list[str]:
        """``prlimit``, which keeps to these bounds and becomes the program that follows."""
        return [
            "prlimit",
            # The hard limit a little above the soft one: SIGXCPU first, SIGKILL for whoever ignores it.
            f"--cpu={self.cpu_s}:{self.cpu_s + 5}",
            f"--as={self.memory_bytes}",
            f"--fsize={self.file_bytes}",
            "--nofile=256",
            "--core=0",
            "--",
        ]
