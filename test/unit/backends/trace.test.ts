import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import {
  answeringPacket,
  openingPacket,
  resumeWith,
} from "../../../src/backends/ovs/trace/probe-text.js";
import { stagesOf } from "../../../src/backends/ovs/trace/stages.js";
import { ForgottenRecirculation, readTrace } from "../../../src/backends/ovs/trace/trace-text.js";
import { parseIp } from "../../../src/domain/cidr.js";
import type { Opening } from "../../../src/domain/reachability/question.js";
import type { Probe } from "../../../src/domain/reachability/trace.js";
import { VPC_TABLES } from "../../../src/pipeline/tables.js";
import { vpc } from "../pipeline/topologies.js";

/**
 * As Open vSwitch 3.1.0 printed it, of two peered VPCs and the tables of the first layout; the
 * bridges are renamed.
 */
async function recorded(name: string): Promise<string> {
  return readFile(new URL(`traces/${name}.txt`, import.meta.url), "utf8");
}

const [LEFT, RIGHT, EXCHANGE] = ["pbabcdefv1", "pbabcdefv2", "pbabcdefx"];

describe("a recorded trace", () => {
  it("of a packet that is handed to conntrack says with which flow it comes back", async () => {
    expect(readTrace(await recorded("leaving"))).toEqual({
      bridges: [{ name: LEFT, tables: [0, 1, 3, 4] }],
      output: undefined,
      resumed: expect.stringMatching(
        /^recirc_id=0x1,ct_state=new\|trk,ct_zone=1,eth,tcp,reg0=0x10/,
      ),
      remembered: false,
    });
  });

  it("of a packet that crosses names the bridges, and no table that is looked into", async () => {
    expect(readTrace(await recorded("crossing"))).toEqual({
      bridges: [
        { name: LEFT, tables: [5, 6, 7] },
        { name: EXCHANGE, tables: [0] },
        { name: RIGHT, tables: [0, 8, 9, 10, 11] },
      ],
      output: undefined,
      resumed: expect.stringContaining(",in_port=1,"),
      remembered: false,
    });
  });

  it("of a packet that arrives names its port on the last bridge", async () => {
    expect(readTrace(await recorded("arriving"))).toEqual({
      bridges: [{ name: RIGHT, tables: [12, 13, 14] }],
      output: 2,
      resumed: undefined,
      remembered: false,
    });
  });

  it("of a ping to a gateway says that it goes back", async () => {
    const { output, bridges } = readTrace(await recorded("gateway"));
    expect({ output, bridges }).toEqual({
      output: "IN_PORT",
      bridges: [{ name: LEFT, tables: [0, 1, 3] }],
    });
  });

  it("of a packet that is dropped ends in the table that drops it", async () => {
    const { output, bridges, resumed } = readTrace(await recorded("nobody"));
    expect({ output, resumed }).toEqual({ output: undefined, resumed: undefined });
    expect(bridges[0]?.tables.at(-1)).toBe(11);
    const { peering, ingressTrack } = VPC_TABLES;
    expect(stagesOf([peering.number, ingressTrack.number]).at(-1)).toBe("receiver");
  });

  it.each([
    ["ct(commit,zone=9,mark=0/0xffffffff,label=0x10000/0x1ffff),recirc(0x1)", true],
    ["ct(commit,zone=9,mark=0x65/0xffffffff),ct(zone=8),recirc(0x1)", false],
    ["ct(zone=8),recirc(0x1)", false],
  ])("with %s tells whether the connection is remembered by then", (actions, remembered) => {
    const line = "=".repeat(20);
    const text = `Datapath actions: ${actions}\n${line}\n${line}\nFlow: recirc_id=0x1,eth,tcp\n`;
    expect(readTrace(text)).toMatchObject({ remembered });
  });

  it("is no trace when it is anything else", () => {
    expect(() => readTrace("Unknown bridge x")).toThrow("not a trace: Unknown bridge x");
    expect(() => readTrace("")).toThrow("not a trace");
  });

  it("that begins with a recirculation which is no more is told apart", () => {
    const text = [
      `bridge("${RIGHT}")`,
      "--------------------",
      "     >>>> Recirculation context not found for ID 5 <<<<",
      "",
      "Final flow: unchanged",
      "Datapath actions: drop",
    ];
    expect(() => readTrace(text.join("\n"))).toThrow(ForgottenRecirculation);
  });

  it.each([
    ["drop", "    output:2", undefined],
    ["set(eth(src=02:00:00:00:00:01)),4", "    output:2", 2],
    ["ct(commit,zone=3,mark=0x65/0xffffffff)", "    output:2", undefined],
    ["userspace(pid=0,slow_path(action)),5", "    IN_PORT", "IN_PORT"],
  ])("whose datapath actions are %s counts as sent or not by them", (actions, line, output) => {
    const text = `bridge("b")\n--\n 0. ip, priority 1\n${line}\n\nDatapath actions: ${actions}\n`;
    expect(readTrace(text).output).toBe(output);
  });
});

const [sender] = vpc(1, ["10.10.1.0/24"]).interfaces;
const [receiver] = vpc(2, ["10.20.1.0/24"]).interfaces;
const to = parseIp("10.20.1.10");
if (sender === undefined || receiver === undefined || to === undefined) throw new Error("no ends");

const answering = { vpcId: "vpc-2", vpcNumber: 2, eni: receiver, source: receiver.ip };
const probe = (opening: Opening): Probe => ({
  from: { vpcId: "vpc-1", vpcNumber: 1, eni: sender, source: sender.ip },
  to,
  opening,
  unicast: true,
  answering,
  peering: 101,
});

describe("a packet to be traced", () => {
  it("and its answer are of one connection", () => {
    const https = probe({ kind: "ports", protocol: 6, port: 443 });
    const ends = ["ct_nw_src=10.10.1.10", "ct_nw_dst=10.20.1.10", "ct_nw_proto=6"];
    const ports = ["ct_tp_src=49152", "ct_tp_dst=443"];
    expect(openingPacket(2, https)).toEqual({
      flow: "in_port=2,dl_src=02:00:00:00:01:00,dl_dst=0a:50:00:00:00:01,tcp,nw_src=10.10.1.10,nw_dst=10.20.1.10,nw_ttl=64,tcp_src=49152,tcp_dst=443",
      connection: ["ct_state=new|trk", ...ends, ...ports],
    });
    expect(answeringPacket(5, https, answering)).toEqual({
      flow: "in_port=5,dl_src=02:00:00:00:02:00,dl_dst=0a:50:00:00:00:02,tcp,nw_src=10.20.1.10,nw_dst=10.10.1.10,nw_ttl=64,tcp_src=443,tcp_dst=49152",
      connection: ["ct_state=est|rpl|trk", "ct_mark=101", ...ends, ...ports],
    });
  });

  it("of a ping is answered by another message, and remembered by what it was", () => {
    const { flow, connection } = answeringPacket(
      5,
      probe({ kind: "icmp", type: 8, code: 0 }),
      answering,
    );
    expect(flow).toContain("icmp,icmp_type=0,icmp_code=0");
    expect(connection).toContain("ct_label=2048");
  });

  it("that is for everybody does not go to the router", () => {
    const { flow } = openingPacket(2, {
      ...probe({ kind: "protocol", protocol: 47 }),
      unicast: false,
    });
    expect(flow).toContain("dl_dst=ff:ff:ff:ff:ff:ff,ip,nw_proto=47");
  });

  it("goes on with what conntrack knows, fields that others need before those", () => {
    const resumed =
      "recirc_id=0x5,ct_state=new|trk,ct_zone=6,eth,udp,reg3=0x6,in_port=1,nw_src=10.10.1.10,tp_src=9,tp_dst=53";
    expect(resumeWith(resumed, ["ct_state=est|trk", "ct_nw_src=10.10.1.10"])).toBe(
      "udp,ct_zone=6,ct_state=est|trk,ct_nw_src=10.10.1.10,recirc_id=0x5,reg3=0x6,in_port=1,nw_src=10.10.1.10,udp_src=9,udp_dst=53",
    );
  });
});
