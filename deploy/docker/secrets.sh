#!/bin/sh
# Make the secrets of compose.cluster.yml, each in a file; what is there already stays as it is.
#
#   deploy/docker/secrets.sh [FOLDER]             (default: secrets, beside this script)
#
# The folder is for its owner only.  The files in it can be read by whoever gets into the folder, since the programs in the containers are
# other people than you: a container sees those files alone that it is given.
set -eu

folder=${1:-$(dirname "$0")/secrets}
umask 077
mkdir -p "$folder"
chmod 700 "$folder"
cd "$folder"

random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

keep() {
    [ -s "$1" ] && return
    cat >"$1.new"
    chmod 444 "$1.new"
    mv "$1.new" "$1"
    echo "made $folder/$1"
}

random | keep secret_key
random | keep postgres_password
random | keep s3_password
random | keep redis_password
echo "postgresql://musicconnect:$(cat postgres_password)@postgres:5432/musicconnect" | keep database_url
echo "s3://musicconnect:$(cat s3_password)@s3:9000/music?secure=0&create=1" | keep store_url
echo "redis://:$(cat redis_password)@redis:6379/0" | keep queue_url
echo "redis://:$(cat redis_password)@redis:6379/1" | keep rate_limit_url
echo "redis://:$(cat redis_password)@redis:6379/2" | keep cache_url
keep redis_conf <<END
requirepass $(cat redis_password)
dir /data
# What was acknowledged is on the disk within a second; the database holds the truth about jobs anyhow.
appendonly yes
# Too little memory shall be an error that is seen, not messages that vanish.
maxmemory-policy noeviction
END
