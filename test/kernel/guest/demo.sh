#!/bin/bash
# `npm run up` on the system's Open vSwitch, and the demonstration. With PostgreSQL: the embedded
# database touches hundreds of MiB at its first start, which takes a guest longer than up waits.
here=$(dirname -- "${BASH_SOURCE[0]}")
# shellcheck source=checks.sh
. "$here/checks.sh"
# shellcheck source=../../../ovs/lib/kernel-datapath.sh
. ovs/lib/kernel-datapath.sh

export DATABASE_URL=postgresql://postgres:guest@127.0.0.1/postgres
start_postgres() {
  pg_ctlcluster 15 main start && su postgres -c "psql -qc \"ALTER USER postgres PASSWORD 'guest'\""
}

# With --no-monitor there is no second process of each, as under systemd.
start_open_vswitch() { until_uptime "$earliest_uptime" && /usr/share/openvswitch/scripts/ovs-ctl --no-monitor --system-id=random --no-record-hostname start; }
is_up() { [ -e var/up.env ] && . var/up.env && curl -fsS -m 3 "$PATCHBAY_URL/readyz" >/dev/null 2>&1; }

check "PostgreSQL starts" start_postgres
check "Open vSwitch starts" start_open_vswitch
npm run up >up.log 2>&1 &
check "npm run up is ready" soon 90 is_up
check "it uses the kernel datapath" grep -q "the system's Open vSwitch (kernel datapath)" up.log
check "npm run demo shows what it should" npm run -s demo
stop_up() { kill -TERM %1 && soon 60 not is_up; }
check "it stops" stop_up
[ "$failed" = 0 ] || tail -n 20 up.log
exit "$failed"
