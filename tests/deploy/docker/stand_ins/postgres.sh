#!/bin/sh
# A PostgreSQL that is asked for as the well-known image is: POSTGRES_USER, POSTGRES_DB, POSTGRES_PASSWORD_FILE and PGDATA.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    mkdir -p "$PGDATA"
    initdb --pgdata "$PGDATA" --username "$POSTGRES_USER" --pwfile "$POSTGRES_PASSWORD_FILE" --encoding UTF8 --locale C.UTF-8 \
        --auth-local trust --auth-host scram-sha-256
    echo "CREATE DATABASE $POSTGRES_DB;" | postgres --single -D "$PGDATA" postgres
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
fi
[ "${1:-}" = postgres ] && shift
exec postgres -D "$PGDATA" -c listen_addresses='*' "$@"
