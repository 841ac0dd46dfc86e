import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Answer, startTestApi, type TenantKey, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";

const QUOTAS = {
  privateIpsPerInterface: 4,
  addressPairsPerInterface: 3,
  interfacesPerAddressPair: 2,
  interfacesPerVpc: 12,
};
const VIRTUAL_MAC = "00:00:5e:00:01:07";
const MAC_POINTER = "/allowedAddressPairs/0/macAddress";

function pair(ipAddress: string, macAddress?: string): object {
  return { allowedAddressPairs: [{ ipAddress, ...(macAddress !== undefined && { macAddress }) }] };
}

describe.each(answerEngines)("addresses of network interfaces on $name", (engine) => {
  let api: TestApi;
  let key: TenantKey;
  let vpcId: string;
  let subnetId: string;

  beforeAll(async () => {
    api = await startTestApi(engine, { quotas: QUOTAS });
    key = await api.createTenantWithKey("admin");
  });
  afterAll(() => api.stop());

  beforeEach(async () => {
    vpcId = await api.createVpc(key.token, "10.0.0.0/16");
    subnetId = await newSubnet("10.0.1.0/24");
  });

  const call = (method: "GET" | "POST" | "PATCH" | "DELETE", url: string, body?: unknown) =>
    api.call(key.token, method, `/v1${url}`, body);
  const create = (input: object) => call("POST", "/network-interfaces", { subnetId, ...input });
  const patch = (id: string, input: object) => call("PATCH", `/network-interfaces/${id}`, input);

  async function newSubnet(cidrBlock: string): Promise<string> {
    return (await call("POST", "/subnets", { vpcId, cidrBlock })).body.id;
  }

  async function made(input: object): Promise<Answer["body"]> {
    const answer = await create(input);
    expect(answer).toMatchObject({ status: 201 });
    return answer.body;
  }

  function expectRefused(answer: Answer, status: number, code: string, pointer?: string): void {
    expect(answer).toMatchObject({ status, body: { code } });
    if (pointer !== undefined) expect(answer.body.errors[0].pointer).toBe(pointer);
  }

  test("are given, shown, listed, changed and taken away again", async () => {
    const further = {
      secondaryPrivateIps: ["10.0.1.9", "10.0.1.7"],
      allowedAddressPairs: [
        { ipAddress: "10.0.1.100", macAddress: VIRTUAL_MAC.toUpperCase() },
        { ipAddress: "10.0.1.64/28" },
      ],
    };
    const eni = await made({ privateIp: "10.0.1.5", ...further });
    const shown = {
      privateIp: "10.0.1.5",
      secondaryPrivateIps: ["10.0.1.9", "10.0.1.7"],
      allowedAddressPairs: [
        { ipAddress: "10.0.1.100", macAddress: VIRTUAL_MAC },
        { ipAddress: "10.0.1.64/28", macAddress: eni.macAddress },
      ],
    };
    expect(eni).toMatchObject(shown);
    expect((await call("GET", `/network-interfaces/${eni.id}`)).body).toMatchObject(shown);
    const { items } = (await call("GET", `/network-interfaces?vpcId=${vpcId}`)).body;
    expect(items).toMatchObject([shown]);

    const renamed = await patch(eni.id, { name: "vip" });
    expect(renamed.body).toMatchObject({ name: "vip", ...shown });
    const fewer = await patch(eni.id, { secondaryPrivateIps: ["10.0.1.7"] });
    expect(fewer.body).toMatchObject({ ...shown, secondaryPrivateIps: ["10.0.1.7"] });
    const none = await patch(eni.id, { secondaryPrivateIps: [], allowedAddressPairs: [] });
    expect(none.body).toMatchObject({ secondaryPrivateIps: [], allowedAddressPairs: [] });
    const other = await made({ privateIp: "10.0.1.9", secondaryPrivateIps: ["10.0.1.7"] });
    expect((await call("DELETE", `/network-interfaces/${other.id}`)).status).toBe(204);
    expect((await patch(eni.id, { secondaryPrivateIps: ["10.0.1.9"] })).status).toBe(200);
  });

  test("are told of by events, and move the switch", async () => {
    const eni = await made({});
    const before = (await call("GET", `/vpcs/${vpcId}`)).body.dataPlane.generation;
    await patch(eni.id, { allowedAddressPairs: [{ ipAddress: "10.0.1.100" }] });
    const after = (await call("GET", `/vpcs/${vpcId}`)).body.dataPlane.generation;
    expect(after).toBeGreaterThan(before);
    const { items } = (await call("GET", "/events?limit=1000")).body;
    expect(items.at(-1)).toMatchObject({ action: "update", resource: { id: eni.id } });
  });

  test("of one's own are one interface's in a VPC, primary or secondary", async () => {
    const holder = await made({ privateIp: "10.0.1.5", secondaryPrivateIps: ["10.0.1.6"] });
    for (const taken of ["10.0.1.5", "10.0.1.6"]) {
      const primary = await create({ privateIp: taken });
      expectRefused(primary, 409, "PrivateIpInUse", "/privateIp");
      expect(primary.body.blockedBy).toEqual([holder.id]);
      const secondary = await create({ secondaryPrivateIps: ["10.0.1.8", taken] });
      expectRefused(secondary, 409, "PrivateIpInUse", "/secondaryPrivateIps/1");
    }
    const other = await made({});
    const moved = await patch(other.id, { secondaryPrivateIps: ["10.0.1.6"] });
    expectRefused(moved, 409, "PrivateIpInUse", "/secondaryPrivateIps/0");
    expect((await patch(holder.id, { secondaryPrivateIps: ["10.0.1.6"] })).status).toBe(200);
    const elsewhere = await api.createVpc(key.token, "10.0.0.0/16");
    const subnet = await call("POST", "/subnets", { vpcId: elsewhere, cidrBlock: "10.0.1.0/24" });
    const there = await create({ subnetId: subnet.body.id, secondaryPrivateIps: ["10.0.1.6"] });
    expect(there.status).toBe(201);
  });

  test("that are chosen are in nobody's list", async () => {
    await made({ privateIp: "10.0.1.4", secondaryPrivateIps: ["10.0.1.5"] });
    await made({ privateIp: "10.0.1.6", allowedAddressPairs: [{ ipAddress: "10.0.1.8/29" }] });
    expect(await made({ secondaryPrivateIps: ["10.0.1.7"] })).toMatchObject({
      privateIp: "10.0.1.16",
    });
  });

  test("that pass by pairs may be anybody's, several times", async () => {
    const reserved = await made({ privateIp: "10.0.1.100" });
    const pairs = { allowedAddressPairs: [{ ipAddress: "10.0.1.100" }] };
    const [first, second] = [await made(pairs), await made(pairs)];
    expectRefused(await create(pairs), 409, "AddressPairLimitExceeded");
    const third = await made({});
    expectRefused(await patch(third.id, pairs), 409, "AddressPairLimitExceeded");
    expect((await patch(first.id, pairs)).status).toBe(200);
    await patch(second.id, { allowedAddressPairs: [] });
    expect((await patch(third.id, pairs)).status).toBe(200);
    expect(reserved.privateIp).toBe("10.0.1.100");
  });

  test.each([
    [{ secondaryPrivateIps: ["10.0.2.9"] }, "InvalidParameterValue", "/secondaryPrivateIps/0"],
    [{ secondaryPrivateIps: ["10.0.1.1"] }, "InvalidParameterValue", "/secondaryPrivateIps/0"],
    [{ secondaryPrivateIps: ["fd00::1"] }, "ValidationError", "/secondaryPrivateIps/0"],
    [{ secondaryPrivateIps: ["10.0.1.9/32"] }, "ValidationError", "/secondaryPrivateIps/0"],
    [{ secondaryPrivateIps: "10.0.1.9" }, "ValidationError", "/secondaryPrivateIps"],
    [{ secondaryPrivateIps: null }, "ValidationError", "/secondaryPrivateIps"],
    [
      { secondaryPrivateIps: ["10.0.1.9", "10.0.1.9"] },
      "InvalidParameterValue",
      "/secondaryPrivateIps/1",
    ],
    [{ secondaryPrivateIps: ["10.0.1.50"] }, "InvalidParameterValue", "/secondaryPrivateIps/0"],
    [pair("10.0.2.9"), "InvalidParameterValue", "/allowedAddressPairs/0/ipAddress"],
    [pair("10.0.0.0/16"), "InvalidParameterValue", "/allowedAddressPairs/0/ipAddress"],
    [pair("10.0.1.0/24"), "InvalidParameterValue", "/allowedAddressPairs/0/ipAddress"],
    [pair("10.0.1.1"), "InvalidParameterValue", "/allowedAddressPairs/0/ipAddress"],
    [pair("0.0.0.0/0"), "InvalidParameterValue", "/allowedAddressPairs/0/ipAddress"],
    [pair("10.0.1.255"), "InvalidParameterValue", "/allowedAddressPairs/0/ipAddress"],
    [pair("10.0.1.128/25"), "InvalidParameterValue", "/allowedAddressPairs/0/ipAddress"],
    [pair("10.0.1.65/28"), "InvalidParameterValue", "/allowedAddressPairs/0/ipAddress"],
    [pair("10.0.1.50"), "InvalidParameterValue", "/allowedAddressPairs/0/ipAddress"],
    [pair("ten"), "ValidationError", "/allowedAddressPairs/0/ipAddress"],
    [pair("10.0.1.9", "01:00:5e:00:00:01"), "InvalidParameterValue", MAC_POINTER],
    [pair("10.0.1.9", "0a:50:00:00:00:01"), "InvalidParameterValue", MAC_POINTER],
    [pair("10.0.1.9", "02-00"), "InvalidParameterValue", MAC_POINTER],
    [{ allowedAddressPairs: [{}] }, "ValidationError", "/allowedAddressPairs/0/ipAddress"],
    [
      { allowedAddressPairs: [{ ipAddress: "10.0.1.9" }, { ipAddress: "10.0.1.9/32" }] },
      "InvalidParameterValue",
      "/allowedAddressPairs/1/ipAddress",
    ],
  ])("are refused when they are wrong: %j", async (input, code, pointer) => {
    expectRefused(await create({ privateIp: "10.0.1.50", ...input }), 400, code, pointer);
    const eni = await made({ privateIp: "10.0.1.50" });
    expectRefused(await patch(eni.id, input), 400, code, pointer);
    const { body } = await call("GET", `/network-interfaces/${eni.id}`);
    expect(body).toMatchObject({ secondaryPrivateIps: [], allowedAddressPairs: [] });
  });

  test("become no one's own while a pair of the same interface has them", async () => {
    const eni = await made({ allowedAddressPairs: [{ ipAddress: "10.0.1.9" }] });
    const own = { secondaryPrivateIps: ["10.0.1.9"] };
    expectRefused(await patch(eni.id, own), 400, "InvalidParameterValue", "/secondaryPrivateIps");
    expect((await patch(eni.id, { ...own, allowedAddressPairs: [] })).status).toBe(200);
  });

  test("have quotas: of an interface, and with the interfaces of a VPC", async () => {
    const ips = ["10.0.1.21", "10.0.1.22", "10.0.1.23"];
    const tooMany = { secondaryPrivateIps: [...ips, "10.0.1.24"] };
    expectRefused(await create(tooMany), 409, "PrivateIpAddressLimitExceeded");
    const pairs = [1, 2, 3, 4].map((last) => ({ ipAddress: `10.0.1.3${last}` }));
    expectRefused(await create({ allowedAddressPairs: pairs }), 409, "AddressPairLimitExceeded");

    const eni = await made({ secondaryPrivateIps: ips, allowedAddressPairs: pairs.slice(1) });
    const other = await made({ secondaryPrivateIps: ["10.0.1.25", "10.0.1.26"] });
    expectRefused(
      await create({ secondaryPrivateIps: ["10.0.1.27", "10.0.1.28"] }),
      409,
      "NetworkInterfaceLimitExceeded",
    );
    expectRefused(
      await patch(other.id, { allowedAddressPairs: pairs.slice(1) }),
      409,
      "NetworkInterfaceLimitExceeded",
    );
    expect((await patch(eni.id, { allowedAddressPairs: [] })).status).toBe(200);
    expect((await patch(other.id, { allowedAddressPairs: pairs.slice(1) })).status).toBe(200);
  });

  test("two calls at once do not get the same one", async () => {
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => create({ secondaryPrivateIps: ["10.0.1.9"] })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
  });

  test("are what reachability asks about", async () => {
    const ask = (from: string, to: string) =>
      call("POST", "/reachability", { from, to, protocol: "icmp", vpcId });
    const shared = { allowedAddressPairs: [{ ipAddress: "10.0.1.100" }] };
    const client = await made({ privateIp: "10.0.1.5", secondaryPrivateIps: ["10.0.1.6"] });
    const holder = await made({ privateIp: "10.0.1.7", ...shared });
    expect((await ask("10.0.1.6", "10.0.1.100")).body).toMatchObject({ reachable: true });
    const { body } = await ask("10.0.1.6", "10.0.1.7");
    expect(body.path[0]).toMatchObject({ networkInterfaceId: client.id, ip: "10.0.1.6" });
    expect((await ask("10.0.1.100", "10.0.1.6")).body).toMatchObject({ reachable: true });
    expectRefused(await ask("10.0.1.6", "10.0.1.5"), 400, "InvalidParameterValue", "/to");
    expect((await ask(holder.id, "10.0.1.101")).body).toMatchObject({
      reachable: false,
      reason: expect.stringContaining("10.0.1.101"),
    });
    await made({ privateIp: "10.0.1.8", ...shared });
    const ambiguous = await ask("10.0.1.100", "10.0.1.6");
    expectRefused(ambiguous, 400, "InvalidParameterValue", "/from");
    expect(ambiguous.body.detail).toContain(holder.id);
  });
});
