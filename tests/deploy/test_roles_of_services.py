"""The roles for the engines of a cluster say what they take, refuse what they do not know, and write settings that hold."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.playing import PLAYS
from tests.deploy.playing import played

ROLES = ("etcd", "postgres", "haproxy", "redis", "objectstore", "monitoring")
HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/sbin") or "haproxy"
SECRETS = {
    "postgres_superuser_password": "superuser-password",
    "postgres_replication_password": "replication-password",
    "postgres_application_password": "application-password",
    "postgres_api_password": "password-of-the-api",
    "redis_password": "password-of-redis",
}
HOSTS = """
[all:vars]
ansible_connection=local
ansible_python_interpreter={python}
musicconnect_firewall=false
[all]
db1 cluster_address=192.0.2.11
db2 cluster_address=192.0.2.12
db3 cluster_address=192.0.2.13
web1 cluster_address=192.0.2.21
mon1 cluster_address=192.0.2.31
[etcd]
db[1:3]
[postgres]
db[1:3]
[redis]
db[1:3]
[web]
web1
[monitoring]
mon1
"""


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def options(role: str) -> dict[str, dict[str, Any]]:
    return read(PLAYS / "roles" / role / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]


def playbook(folder: Path, play: Path, *arguments: str, **told: Any) -> subprocess.CompletedProcess[str]:
    """Run a play on hosts that are all this machine."""
    (folder / "hosts.ini").write_text(HOSTS.format(python=sys.executable), "utf-8")
    return played(folder, play, "-i", str(folder / "hosts.ini"), *arguments, **told)


def rendered(folder: Path, role: str, host: str, *templates: str, **told: Any) -> dict[str, str]:
    """What a role's templates become on *host*."""
    role_folder = PLAYS / "roles" / role
    play = [
        {
            "hosts": host,
            "gather_facts": False,
            "vars_files": [
                str(role_folder / "defaults" / "main.yml"),
                str(role_folder / "vars" / "main.yml"),
            ],
            "tasks": [
                {
                    "name": "Write",
                    "ansible.builtin.template": {
                        "src": f"{role_folder}/templates/{{{{ wanted }}}}",
                        "dest": f"{folder}/{{{{ wanted }}}}",
                    },
                    "loop": list(templates),
                    "loop_control": {"loop_var": "wanted"},
                }
            ],
        }
    ]
    (folder / "render.json").write_text(json.dumps(play), "utf-8")
    done = playbook(folder, folder / "render.json", **(SECRETS | told))
    assert done.returncode == 0, done.stdout + done.stderr
    return {template: (folder / template).read_text("utf-8") for template in templates}


@pytest.mark.parametrize("role", ROLES)
def test_every_default_is_described_and_nothing_else_is(role: str) -> None:
    described = options(role)
    given = read(PLAYS / "roles" / role / "defaults" / "main.yml")
    required = {name for name, option in described.items() if option.get("required")}
    assert set(given) | required == set(described)
    assert not set(given) & required
    assert all(name.startswith(f"{role}_") for name in described)
    assert all(len(option["description"]) > 10 for option in described.values())


def test_every_variable_is_for_something() -> None:
    """One that nothing reads promises what nobody keeps."""
    files = [path for pattern in ("*.yml", "roles/*/*/*") for path in PLAYS.glob(pattern) if path.is_file()]
    texts = [path.read_text("utf-8") for path in files if path.parent.name != "meta"]
    for role in PLAYS.glob("roles/*/defaults/main.yml"):
        for name in read(role):
            # Beyond where it gets its default, and comments.
            used = sum(len(re.findall(rf"^[^#\n]*\b{name}\b(?!:)", text, re.M)) for text in texts)
            assert used, name


@pytest.mark.parametrize("role", ROLES)
def test_a_role_needs_no_collection(role: str) -> None:
    """Whoever has ansible-core has all that is needed."""
    words = {
        "name",
        "when",
        "loop",
        "register",
        "notify",
        "no_log",
        "vars",
        "tags",
        "become",
        "become_user",
        "until",
        "retries",
    }
    words |= {
        "delay",
        "changed_when",
        "failed_when",
        "check_mode",
        "run_once",
        "environment",
        "loop_control",
        "throttle",
    }
    words |= {"with_fileglob", "any_errors_fatal", "listen", "delegate_to", "ignore_unreachable"}
    for path in (PLAYS / "roles" / role).glob("[th]*s/*.yml"):
        for task in read(path):
            modules = set(task) - words
            assert len(modules) == 1, (path, task["name"], modules)
            assert modules.pop().startswith("ansible.builtin."), (path, task["name"])


def test_what_names_a_secret_is_not_logged() -> None:
    """A task that writes a password or a key says so, since Ansible prints what it changes."""
    telling = re.compile(r"\b(postgres|redis|haproxy|objectstore|etcd)_(\w+_)?(password|secret|tls_key)\b")
    for path in PLAYS.glob("roles/*/tasks/*.yml"):
        role = path.parts[-3]
        if role not in ROLES or path.name == "validate.yml":
            continue
        for task in read(path):
            arguments = {
                key: value
                for key, value in task.items()
                if key.startswith("ansible.builtin.") or key == "loop"
            }
            if telling.search(json.dumps(arguments)):
                assert task.get("no_log"), f"{path}: {task['name']}"


@pytest.mark.parametrize("play", ["services.yml", "services_restore.yml"])
def test_the_plays_are_whole(tmp_path: Path, play: str) -> None:
    done = playbook(tmp_path, PLAYS / play, "--syntax-check", **SECRETS)
    assert done.returncode == 0, done.stderr


def test_a_missing_password_is_named(tmp_path: Path) -> None:
    told = {name: value for name, value in SECRETS.items() if name != "postgres_replication_password"}
    done = playbook(
        tmp_path, PLAYS / "services.yml", "--check", "--limit", "db1", "--tags", "postgres", **told
    )
    assert done.returncode != 0
    assert "'postgres_replication_password' is missing" in done.stdout + done.stderr


def test_a_variable_that_no_role_knows_is_named(tmp_path: Path) -> None:
    told = SECRETS | {"etcd_clientport": 1}
    done = playbook(tmp_path, PLAYS / "services.yml", "--check", "--limit", "db1", **told)
    assert done.returncode != 0
    assert "'etcd_clientport' is no variable of the role etcd" in done.stdout + done.stderr


def test_a_variable_that_has_a_new_name_is_told_with_both(tmp_path: Path) -> None:
    told = SECRETS | {"etcd_port": 1, "_etcd_renamed": {"etcd_port": "etcd_client_port"}}
    done = playbook(tmp_path, PLAYS / "services.yml", "--check", "--limit", "db1", **told)
    assert done.returncode != 0
    assert "'etcd_port' is now 'etcd_client_port'" in done.stdout + done.stderr


def test_a_restore_asks_for_the_instant(tmp_path: Path) -> None:
    done = playbook(tmp_path, PLAYS / "services_restore.yml", "--check", "--limit", "db1", **SECRETS)
    assert done.returncode != 0
    assert "'restore_postgres_to' is missing" in done.stdout + done.stderr


def test_haproxy_takes_its_settings(tmp_path: Path) -> None:
    text = rendered(tmp_path, "haproxy", "web1", "haproxy.cfg.j2")["haproxy.cfg.j2"]
    (tmp_path / "haproxy.cfg").write_text(re.sub(r"^ +(user|group) haproxy$", "", text, flags=re.M), "utf-8")
    done = subprocess.run(
        [HAPROXY, "-c", "-f", str(tmp_path / "haproxy.cfg")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert text.count("server db1 192.0.2.11:6432 port 8008") == 2
    assert "expect rstring \\n192\\.0\\.2\\.12\\r\\n" in text


def test_patroni_is_told_members_and_who_may_come(tmp_path: Path) -> None:
    files = rendered(tmp_path, "postgres", "db2", "patroni.yml.j2", "pgbouncer.ini.j2", "hba.conf.j2")
    settings = yaml.safe_load(files["patroni.yml.j2"])
    # Its log tells no row that is refused, nor what a statement was given.
    told = settings["postgresql"]["parameters"]
    assert (told["log_error_verbosity"], told["log_parameter_max_length_on_error"]) == ("terse", 0)
    assert settings["name"] == "db2"
    assert settings["etcd3"]["hosts"] == ["192.0.2.11:2379", "192.0.2.12:2379", "192.0.2.13:2379"]
    shared = settings["bootstrap"]["dcs"]
    assert shared["synchronous_mode"] is True
    assert shared["loop_wait"] + 2 * shared["retry_timeout"] <= shared["ttl"] == 20
    hba = settings["postgresql"]["pg_hba"]
    assert "host replication replicator 192.0.2.13/32 scram-sha-256" in hba
    # Nobody from afar but the members themselves: the application comes by PgBouncer.
    afar = [line for line in hba if line.startswith("host") and "127.0.0.1" not in line]
    assert all(re.search(r" 192\.0\.2\.1[123]/32 scram-sha-256$", line) for line in afar)
    assert not any(re.search(r"\b(trust|md5|password)\b", line) for line in hba)

    pgbouncer = configparser.ConfigParser()
    pgbouncer.read_string(files["pgbouncer.ini.j2"])
    assert pgbouncer["databases"]["musicconnect"] == "host=127.0.0.1 port=5432"
    assert pgbouncer["pgbouncer"]["pool_mode"] == "session"
    assert "host musicconnect musicconnect 192.0.2.21/32 scram-sha-256" in files["hba.conf.j2"]


def test_with_certificates_nobody_comes_unencrypted(tmp_path: Path) -> None:
    told = {"postgres_tls_authority": "A", "postgres_tls_certificate": "C", "postgres_tls_key": "K"}
    files = rendered(tmp_path, "postgres", "db1", "patroni.yml.j2", "pgbouncer.ini.j2", "hba.conf.j2", **told)
    settings = yaml.safe_load(files["patroni.yml.j2"])
    afar = [line for line in settings["postgresql"]["pg_hba"] if "192.0.2" in line]
    assert afar
    assert all(line.startswith("hostssl ") for line in afar)
    assert settings["etcd3"]["protocol"] == "https"
    assert "client_tls_sslmode = require" in files["pgbouncer.ini.j2"]
    assert "\nhost " not in files["hba.conf.j2"]


def test_a_restore_is_how_patroni_makes_the_cluster(tmp_path: Path) -> None:
    told = {"postgres_backup_repository": "folder", "postgres_restore_target": "2026-01-31 12:00:00+00"}
    text = rendered(tmp_path, "postgres", "db1", "patroni.yml.j2", **told)["patroni.yml.j2"]
    bootstrap = yaml.safe_load(text)["bootstrap"]
    assert bootstrap["method"] == "pgbackrest"
    assert '--type=time "--target=2026-01-31 12:00:00+00"' in bootstrap["pgbackrest"]["command"]
    assert " pgbackrest " in yaml.safe_load(text)["postgresql"]["parameters"]["archive_command"]


def test_a_repository_that_hangs_holds_no_failover_up(tmp_path: Path) -> None:
    text = rendered(tmp_path, "postgres", "db1", "patroni.yml.j2", postgres_backup_repository="s3")[
        "patroni.yml.j2"
    ]
    told = yaml.safe_load(text)["postgresql"]
    within = r"timeout --foreground (\d+) pgbackrest --stanza=musicconnect "
    push = re.match(within + r"archive-push %p$", told["parameters"]["archive_command"])
    get = re.match(within + r'archive-get %f "%p"$', told["recovery_conf"]["restore_command"])
    assert push and get
    # PostgreSQL takes 124, by which timeout ends, for a file that is not there, and what a signal ended for the end of recovery: so no --kill-after.
    assert (int(push[1]), int(get[1])) == (60, 10)


def test_a_restore_to_the_latest_names_no_target_for_which_pgbackrest_would_refuse_an_action(
    tmp_path: Path,
) -> None:
    text = rendered(tmp_path, "postgres", "db1", "patroni.yml.j2", postgres_restore_target="latest")[
        "patroni.yml.j2"
    ]
    command = " ".join(yaml.safe_load(text)["bootstrap"]["pgbackrest"]["command"].split())
    assert command.endswith("--type=default restore")
    assert "--target" not in command


def test_backups_go_to_the_bucket_encrypted(tmp_path: Path) -> None:
    told = {
        "postgres_backup_repository": "s3",
        "postgres_backup_s3_endpoint": "s3.example.org",
        "postgres_backup_s3_bucket": "backups",
        "postgres_backup_s3_key": "key",
        "postgres_backup_s3_secret": "secret",
        "postgres_backup_passphrase": "passphrase",
    }
    text = rendered(tmp_path, "postgres", "db1", "pgbackrest.conf.j2", **told)["pgbackrest.conf.j2"]
    settings = configparser.ConfigParser(interpolation=None)
    settings.read_string(text)
    assert settings["global"]["repo1-cipher-type"] == "aes-256-cbc"
    assert settings["global"]["repo1-s3-bucket"] == "backups"
    assert settings["musicconnect"]["pg1-path"] == "/var/lib/postgresql/15/musicconnect"


def test_prometheus_measures_every_host_and_engine(tmp_path: Path) -> None:
    told = {"monitoring_application_token": "token", "monitoring_alert_mail_to": ["ops@example.org"]}
    told |= {
        "monitoring_alert_mail_from": "mon@example.org",
        "monitoring_alert_mail_server": "mail.example.org:587",
    }
    files = rendered(tmp_path, "monitoring", "mon1", "prometheus.yml.j2", "alertmanager.yml.j2", **told)
    jobs = {job["job_name"]: job for job in yaml.safe_load(files["prometheus.yml.j2"])["scrape_configs"]}

    def measured(job: str) -> dict[str, str]:
        return {target["labels"]["instance"]: target["targets"][0] for target in jobs[job]["static_configs"]}

    assert set(jobs) == {
        "prometheus",
        "alertmanager",
        "node",
        "etcd",
        "patroni",
        "redis",
        "haproxy",
        "musicconnect",
    }
    assert set(measured("node")) == {"db1", "db2", "db3", "web1", "mon1"}
    assert measured("patroni") == {f"db{n}": f"192.0.2.1{n}:8008" for n in (1, 2, 3)}
    assert measured("musicconnect") == {"web1": "192.0.2.21:9464"}
    assert jobs["musicconnect"]["authorization"] == {"credentials": "token"}
    told_to = yaml.safe_load(files["alertmanager.yml.j2"])
    (receiver,) = told_to["receivers"]
    assert receiver["email_configs"][0]["to"] == "ops@example.org"
    # Two alerts that hold each other back would both be quiet.
    machine, node = told_to["inhibit_rules"]
    assert (machine["source_matchers"], machine["target_matchers"]) == (
        ['alertname = "HostDown"'],
        ['alertname != "HostDown"'],
    )
    assert node["target_matchers"] == ['alertname !~ "NodeDown|HostDown"']


def test_a_node_that_is_taken_away_is_neither_measured_nor_let_in(tmp_path: Path) -> None:
    prometheus = rendered(tmp_path, "monitoring", "mon1", "prometheus.yml.j2", musicconnect_leaving=["web1"])
    assert "192.0.2.21" not in prometheus["prometheus.yml.j2"]
    assert "192.0.2.11:9100" in prometheus["prometheus.yml.j2"]
    hba = rendered(tmp_path, "postgres", "db1", "hba.conf.j2", musicconnect_leaving=["web1"])["hba.conf.j2"]
    assert "192.0.2.21" not in hba
    assert "192.0.2.11/32" in hba


def test_redis_and_sentinel_are_told_the_password_and_a_majority(tmp_path: Path) -> None:
    files = rendered(
        tmp_path, "redis", "db3", "redis.conf.j2", "sentinel.conf.j2", _redis_primary="192.0.2.11"
    )
    assert "requirepass password-of-redis\n" in files["redis.conf.j2"]
    assert "min-replicas-to-write 1\n" in files["redis.conf.j2"]
    assert "sentinel monitor musicconnect 192.0.2.11 6379 2\n" in files["sentinel.conf.j2"]
