# shellcheck shell=bash disable=SC2154 # work, root, here: run.sh; key: make_tenant
# `docker-compose --profile ovs up patchbay-ovs`: the daemon on the host's Open vSwitch.

run_ovs_profile() {
  start_switch
  docker-compose --profile ovs up -d patchbay-ovs >"$work/ovs-up.log" 2>&1
  within 120 "the daemon on a switch is ready" is_ready
  within 60 "its container is healthy" is_healthy patchbay-ovs
  is "it runs as root without any capability" \
    "Uid:0 CapEff:0000000000000000 CapBnd:0000000000000000 NoNewPrivs:1 " "$(privileges patchbay-ovs)"
  make_tenant patchbay-ovs /var/lib/patchbay/operator-token
  plug_two_in
  within 60 "packets pass between two interfaces of a VPC" reach
  outlives_its_container
  survives_the_switch
}

plug_two_in() {
  local vpc subnet name eni
  vpc=$(make_vpc)
  subnet=$(rest "$key" subnets -d "{\"vpcId\":\"$vpc\",\"cidrBlock\":\"10.0.1.0/24\"}" | jq -r .id)
  for name in web db; do
    eni=$(rest "$key" network-interfaces -d "{\"subnetId\":\"$subnet\"}" | jq -r .id)
    on_host env "PATCHBAY_TOKEN=$key" "$root/ovs/netns.sh" attach "$eni" "$name"
  done
}

reach() { on_host ip netns exec web ping -c1 -W1 10.0.1.5; }

outlives_its_container() {
  stops_in_order patchbay-ovs
  within 20 "packets pass while the daemon is stopped" reach
  compose rm -f patchbay-ovs >"$work/ovs-rm.log" 2>&1
  docker-compose --profile ovs up -d patchbay-ovs >"$work/ovs-up.log" 2>&1
  within 120 "a new container is ready" is_ready
  within 20 "and packets pass" reach
}

survives_the_switch() {
  end_switch_process ovs-vswitchd
  start_vswitchd
  within 120 "packets pass again after a restart of the host's ovs-vswitchd" reach
}
