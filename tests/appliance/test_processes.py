"""Processes of a cluster are told apart: by machine, by its last start, by namespace and by number."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance import node_processes
from appliance.clock import now
from appliance.jobs import leases
from appliance.jobs import process
from appliance.jobs.models import Job
from appliance.startup import Appliance

FIRST, SECOND = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"


@dataclass
class Machine:
    """The machine that this process believes to be on."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch

    def be(
        self,
        *,
        name: str = "debian",
        machine: str | None = FIRST,
        boot: str = "one",
        numbers: int = 4026531836,
        root: str = "4a1b",
    ) -> str:
        """Be on this one from now on; how this process is called there."""
        for path in self.folder.iterdir():
            path.unlink()
        if machine is not None:
            (self.folder / "machine").write_text(machine + "\n")
        (self.folder / "boot").write_text(boot + "\n")
        (self.folder / "numbers").symlink_to(f"pid:[{numbers}]")
        (self.folder / "mounts").write_text(
            f"714 523 0:49 / / ro,relatime master:1 - overlay overlay rw,lowerdir=/l/A:/l/B,upperdir=/var/lib/docker/overlay2/{root}/diff\n"
            "715 714 0:52 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw\n"
        )
        self.monkeypatch.setattr(process, "MACHINE_ID", self.folder / "machine")
        self.monkeypatch.setattr(process, "BOOT_ID", self.folder / "boot")
        self.monkeypatch.setattr(process, "NUMBERS", self.folder / "numbers")
        self.monkeypatch.setattr(process, "MOUNTS", self.folder / "mounts")
        self.monkeypatch.setattr(socket, "gethostname", lambda: name)
        return process.identity()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    folder = tmp_path / "machine"
    folder.mkdir()
    return Machine(folder, monkeypatch)


def ended(owner: str) -> str:
    """One of the same place, of a number that nobody has."""
    return owner.rsplit(":", 2)[0] + ":999999999:1"


def was_gone(owner: str) -> bool:
    """What versions up to now ask."""
    host, _, rest = owner.partition(":")
    pid, _, started = rest.partition(":")
    return (
        host == socket.gethostname()
        and pid.isdigit()
        and bool(started)
        and process._started(str(int(pid))) != started
    )


def test_this_process_knows_itself_and_who_ended_beside_it() -> None:
    here = process.identity()
    assert not process.is_gone(here) and not process.is_left_over(here) and process.is_of_here(here)
    assert process.is_gone(ended(here)) and process.is_left_over(ended(here))
    # Another process had its number before.
    assert process.is_gone(here.rsplit(":", 1)[0] + ":1")


def test_a_machine_of_the_same_name_is_another_one(machine: Machine) -> None:
    there = machine.be(machine=SECOND, boot="two")
    machine.be()
    for owner in (there, ended(there)):
        assert (
            not process.is_gone(owner) and not process.is_left_over(owner) and not process.is_of_here(owner)
        )


def test_after_a_start_anew_all_of_before_are_gone(machine: Machine) -> None:
    # Its number and its start may come again.
    before = machine.be(boot="one")
    machine.be(boot="two")
    assert process.is_gone(before) and process.is_left_over(before)


def test_containers_of_one_kernel_do_not_judge_each_others_numbers(machine: Machine) -> None:
    for machine_id in (None, FIRST):
        there = machine.be(machine=machine_id, numbers=4026532001)
        machine.be(machine=machine_id, numbers=4026532002)
        assert not process.is_gone(there) and not process.is_gone(ended(there))
        machine.be(machine=machine_id, numbers=4026532001)
        assert not process.is_gone(there) and process.is_gone(ended(there))


@pytest.mark.parametrize("machine_id", [None, "", "uninitialized"])
def test_without_an_id_of_the_machine_a_name_that_somebody_gave_tells_nothing(
    machine: Machine, machine_id: str | None
) -> None:
    there = machine.be(machine=machine_id, boot="one")
    machine.be(machine=machine_id, boot="two")
    assert not process.is_gone(there) and not process.is_left_over(there)
    # Somebody must be careful for it: it may be here.
    assert process.is_of_here(there)


def test_a_container_that_began_anew_has_lost_all_its_processes(machine: Machine) -> None:
    before = machine.be(name="4f1d0c9ab27e", machine=None, numbers=4026532001)
    machine.be(name="4f1d0c9ab27e", machine=None, numbers=4026532002)
    assert process.is_gone(before)
    machine.be(name="4f1d0c9ab27e", machine=None, boot="two", numbers=4026532001)
    assert process.is_gone(before)


def test_containers_that_share_a_network_share_a_name_and_are_two(machine: Machine) -> None:
    there = machine.be(name="4f1d0c9ab27e", machine=None, numbers=4026532001, root="4a1b")
    machine.be(name="4f1d0c9ab27e", machine=None, numbers=4026532002, root="5c2d")
    assert not process.is_gone(there) and not process.is_left_over(there) and not process.is_of_here(there)


def test_a_list_forgets_what_a_machine_of_one_kernel_with_others_left_when_it_began_anew(
    machine: Machine,
) -> None:
    before = machine.be(numbers=4026532001)
    machine.be(numbers=4026532002)
    # It may as well be a service beside this one, so its work ends with its lease.
    assert not process.is_gone(before) and process.is_left_over(before)


def test_where_a_kernel_tells_nothing_only_the_lease_can(machine: Machine) -> None:
    machine.be()
    (machine.folder / "boot").unlink()
    (machine.folder / "numbers").unlink()
    assert not process.is_gone(ended(process.identity()))


def test_what_an_earlier_version_wrote_is_left_to_its_lease(machine: Machine) -> None:
    machine.be()
    for owner in ("debian:999999999:1", f"debian:{os.getpid()}:1", "debian:1:", "debian", "?", "", ":::::", "debian:a.b.c:²:1"):  # fmt: skip
        assert not process.is_gone(owner)
        assert len(process.named(owner)) <= len(owner)
    assert process.is_left_over("debian:999999999:1")
    assert not process.is_left_over(f"debian:{os.getpid()}:{process._started(str(os.getpid()))}")


def test_an_earlier_version_leaves_what_this_one_writes_to_its_lease(machine: Machine) -> None:
    here = machine.be()
    assert was_gone("debian:999999999:1")
    assert not was_gone(here) and not was_gone(ended(here))


def test_the_longest_identity_has_room_wherever_it_is_kept(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 4_194_304)
    monkeypatch.setattr(process, "_started", lambda pid: "9" * 12)
    longest = machine.be(name="d" * 64, numbers=2**32 - 1)
    for field in (leases.Lease.holder, Job.lease_owner, node_processes.NodeProcess.id):
        assert len(longest) <= field.max_length


def test_the_list_of_processes_keeps_those_of_another_machine_of_the_same_name(
    appliance: Appliance, machine: Machine
) -> None:
    machine.be(machine=SECOND, boot="two")
    node_processes.enter("worker", plugins="x", now=now())
    machine.be()
    node_processes.enter("web", plugins="x", now=now())
    assert {row.kind for row in node_processes.running()} == {"web", "worker"}
    machine.be(boot="three")
    assert {row.kind for row in node_processes.running()} == {"worker"}
