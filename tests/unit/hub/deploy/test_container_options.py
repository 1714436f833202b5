"""Every flag of a learner's container, and that nothing of the host's is in it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from docker.types import HostConfig

from hub.deploy.container_options import COMMAND, ContainerOptions, learner_options
from hub.deploy.profile import all_profiles, find_profile
from hub.people.models import Role

if TYPE_CHECKING:
    from hub.settings import Settings


@pytest.fixture(params=[profile.name for profile in all_profiles()])
def options(request: pytest.FixtureRequest, settings: Settings) -> ContainerOptions:
    profile = next(profile for profile in all_profiles() if profile.name == request.param)
    return learner_options(settings, profile)


@pytest.fixture
def host_config(options: ContainerOptions) -> HostConfig:
    return HostConfig(version="1.41", **options.host_config())


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("NetworkMode", "ateliertest-unit-learners"),
        ("CapDrop", ["ALL"]),
        ("SecurityOpt", ["no-new-privileges"]),
        ("ReadonlyRootfs", True),
        ("PidsLimit", 256),
        ("CpuPeriod", 100_000),
        ("CpuQuota", 100_000),
        ("Init", True),
        ("IpcMode", "private"),
        ("ShmSize", 64 * 1024 * 1024),
        ("OomScoreAdj", 500),
        ("RestartPolicy", {"Name": "no"}),
        ("LogConfig", {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "2"}}),
    ],
)
def test_flag(host_config: HostConfig, flag: str, value: object) -> None:
    assert host_config[flag] == value


@pytest.mark.parametrize(
    "flag",
    ["Privileged", "CapAdd", "Devices", "PidMode", "UTSMode", "UsernsMode", "CgroupParent", "PortBindings", "Links",
     "ExtraHosts", "VolumesFrom", "GroupAdd", "PublishAllPorts", "OomKillDisable", "Binds", "Mounts", "DeviceRequests"],
)  # fmt: skip
def test_flag_is_not_there(host_config: HostConfig, flag: str) -> None:
    assert not host_config.get(flag)


def test_swap_adds_nothing_to_memory(host_config: HostConfig) -> None:
    assert host_config["Memory"] == host_config["MemorySwap"] >= 1024**3


def test_ulimits(host_config: HostConfig, settings: Settings) -> None:
    limits = {limit["Name"]: (limit["Soft"], limit["Hard"]) for limit in host_config["Ulimits"]}
    assert limits == {
        "nofile": (4096, 4096),
        "fsize": (settings.learner_disk, settings.learner_disk),
        "core": (0, 0),
    }


def test_temporary_folders_have_a_size_and_no_way_to_more_rights(host_config: HostConfig) -> None:
    assert set(host_config["Tmpfs"]) == {"/tmp", "/run"}
    for flags in host_config["Tmpfs"].values():
        assert {"nosuid", "nodev"} <= set(flags.split(","))
        assert "size=" in flags
        assert "nr_inodes=" in flags


def test_only_the_home_and_an_empty_list_of_name_servers_are_mounted(options: ContainerOptions) -> None:
    assert options.binds("a-volume") == {
        "a-volume": {"bind": "/home/learner", "mode": "rw"},
        "/dev/null": {"bind": "/etc/resolv.conf", "mode": "ro"},
    }


def test_it_runs_as_an_ordinary_user(options: ContainerOptions) -> None:
    assert options.create_kwargs() == {
        "user": "1000:1000",
        "hostname": "atelier",
        "labels": {
            "atelier.instance": "ateliertest-unit",
            "atelier.kind": "server",
            "atelier.profile": options.labels["atelier.profile"],
        },
    }  # fmt: skip


def test_options_are_frozen(options: ContainerOptions) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        options.pids = 1_000_000  # type: ignore[misc]


def test_the_start_waits_for_the_resolver_and_reads_no_file_of_the_learners() -> None:
    assert COMMAND[:4] == ("/bin/bash", "--noprofile", "--norc", "-c")
    assert "/dev/tcp/127.0.0.11/53" in COMMAND[4]
    assert "exit 70" in COMMAND[4]


def test_a_trainer_has_more_memory_and_may_frame_formgrader(settings: Settings) -> None:
    trainer, learner = find_profile(Role.TRAINER), find_profile(Role.LEARNER)
    assert trainer is not None
    assert learner is not None
    assert learner_options(settings, trainer).memory_bytes > learner_options(settings, learner).memory_bytes
    assert any("frame-ancestors 'self'" in argument for argument in trainer.server_args)
    assert not learner.server_args


def test_each_role_has_the_profile_it_should() -> None:
    names = {role: getattr(find_profile(role), "name", None) for role in Role}
    assert names == {
        Role.LEARNER: "learner",
        Role.MENTOR: "learner",
        Role.TRAINER: "trainer",
        Role.ADMIN: None,
    }
