import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { ConfigError, configurationDocument, loadConfig } from "../../src/config.js";
import { formatCidr } from "../../src/domain/cidr.js";
import { editDistance, nearestName } from "../../src/nearest-name.js";

function problemsOf(environment: Record<string, string>) {
  try {
    loadConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("the configuration was accepted");
}

describe("defaults", () => {
  test("an empty environment gives a frozen, complete configuration", () => {
    const config = loadConfig({});
    expect(config).toEqual({
      listen: { host: "127.0.0.1", port: 8080 },
      tls: undefined,
      keepAliveSeconds: 75,
      trustedProxies: [],
      dataDir: resolve("var"),
      databaseUrl: undefined,
      backend: "auto",
      ovsdb: "unix:/var/run/openvswitch/db.sock",
      ovsRundir: "/var/run/openvswitch",
      datapath: "system",
      operatorToken: undefined,
      connectionsPerInterface: 50_000,
      timeouts: { tcpEstablished: 432_000, udpStream: 180, udpSingle: 30 },
      resyncSeconds: 30,
      peeringExpirySeconds: 604_800,
      quotas: {
        livePeeringsPerVpc: 125,
        pendingRequestsPerTenant: 25,
        accessKeysPerTenant: 50,
        requestsPerHourToTenant: 60,
        vpcsPerTenant: 1000,
        blocksPerVpc: 5,
        routeTablesPerVpc: 200,
        routesPerTable: 1000,
        securityGroupsPerVpc: 500,
        rulesPerDirection: 60,
        securityGroupsPerInterface: 5,
        privateIpsPerInterface: 50,
        addressPairsPerInterface: 10,
        interfacesPerAddressPair: 8,
        subnetsPerVpc: 200,
        interfacesPerSubnet: 4096,
        interfacesPerVpc: 65_000,
        interfacesPerTenant: 100_000,
        peerGroupMembers: 1000,
        streamsPerKey: 16,
        streamsPerTenant: 64,
        streams: 1024,
      },
      eventRetention: { days: 90, count: 1_000_000 },
      rateLimits: { perKey: 200, perTenant: 1000 },
      waitingCallsPerTenant: 1000,
      logLevel: "info",
    });
    expect(Object.isFrozen(config) && Object.isFrozen(config.quotas)).toBe(true);
  });

  test("empty variables count as unset", () => {
    expect(loadConfig({ PATCHBAY_BACKEND: "", DATABASE_URL: "" })).toEqual(loadConfig({}));
  });

  test("the OVSDB socket follows the run directory", () => {
    expect(loadConfig({ PATCHBAY_OVS_RUNDIR: "/tmp/ovs" }).ovsdb).toBe("unix:/tmp/ovs/db.sock");
  });

  test("variables of the clients and of everybody else are ignored", () => {
    const clients = { PATCHBAY_URL: "x", PATCHBAY_TOKEN: "y", PATCHBAY_SANDBOX_DATAPATH: "z" };
    const config = loadConfig({ ...clients, HOME: "/root" });
    expect(config).toEqual(loadConfig({}));
  });
});

describe("values", () => {
  test.each([
    ["0.0.0.0:80", { host: "0.0.0.0", port: 80 }],
    ["[::1]:8080", { host: "::1", port: 8080 }],
    ["localhost:0", { host: "localhost", port: 0 }],
  ])("PATCHBAY_LISTEN=%s", (text, listen) => {
    const environment = { PATCHBAY_LISTEN: text, PATCHBAY_INSECURE_HTTP: "true" };
    expect(loadConfig(environment).listen).toEqual(listen);
  });

  test.each([
    ["PATCHBAY_QUOTA_LIVE_PEERINGS_PER_VPC", "livePeeringsPerVpc"],
    ["PATCHBAY_QUOTA_PENDING_REQUESTS_PER_TENANT", "pendingRequestsPerTenant"],
    ["PATCHBAY_QUOTA_ACCESS_KEYS_PER_TENANT", "accessKeysPerTenant"],
    ["PATCHBAY_QUOTA_VPCS_PER_TENANT", "vpcsPerTenant"],
    ["PATCHBAY_QUOTA_BLOCKS_PER_VPC", "blocksPerVpc"],
    ["PATCHBAY_QUOTA_ROUTE_TABLES_PER_VPC", "routeTablesPerVpc"],
    ["PATCHBAY_QUOTA_ROUTES_PER_TABLE", "routesPerTable"],
  ] as const)("%s=7 is the quota %s alone", (variable, quota) => {
    const { quotas } = loadConfig({ [variable]: "7" });
    expect(quotas).toEqual({ ...loadConfig({}).quotas, [quota]: 7 });
  });

  test.each([
    ["PATCHBAY_LISTEN", "8080"],
    ["PATCHBAY_LISTEN", "localhost:65536"],
    ["PATCHBAY_LISTEN", "::1:8080"],
    ["PATCHBAY_INSECURE_HTTP", "yes"],
    ["PATCHBAY_BACKEND", "ovn"],
    ["PATCHBAY_OVSDB", "/var/run/db.sock"],
    ["PATCHBAY_DATAPATH", "kernel"],
    ["PATCHBAY_RESYNC_SECONDS", "0"],
    ["PATCHBAY_RESYNC_SECONDS", "1e3"],
    ["PATCHBAY_QUOTA_VPCS_PER_TENANT", "0"],
    ["PATCHBAY_QUOTA_ROUTES_PER_TABLE", "-5"],
    ["PATCHBAY_QUOTA_BLOCKS_PER_VPC", "many"],
    ["PATCHBAY_RATE_LIMIT_PER_SECOND", "-1"],
    ["PATCHBAY_KEEP_ALIVE_SECONDS", "0"],
    ["PATCHBAY_TRUSTED_PROXIES", "proxy.example"],
    ["PATCHBAY_TRUSTED_PROXIES", "10.0.0.1,"],
    ["PATCHBAY_TRUSTED_PROXIES", "10.0.0.1/8"],
    ["PATCHBAY_TRUSTED_PROXIES", "192.0.2.1, ::/0"],
    ["PATCHBAY_LOG_LEVEL", "verbose"],
  ])("%s=%s is refused with the value and what is expected", (variable, value) => {
    const [problem, ...others] = problemsOf({ [variable]: value }).problems;
    expect(others).toEqual([]);
    expect(problem).toEqual({ variable, value, expected: expect.stringMatching(/\w/) });
  });

  test.each([
    ["PATCHBAY_OPERATOR_TOKEN", "short"],
    ["DATABASE_URL", "mysql://user:password@host/db"],
  ])("%s is refused without repeating its secret value", (variable, value) => {
    const error = problemsOf({ [variable]: value });
    expect(error.problems.map((problem) => problem.variable)).toEqual([variable]);
    expect(error.message).not.toContain(value);
  });
});

test("proxies are addresses and blocks of both families", () => {
  const text = "192.0.2.1, 10.0.0.0/8,2001:db8::/32 , ::1";
  const { trustedProxies } = loadConfig({ PATCHBAY_TRUSTED_PROXIES: text });
  const blocks = ["192.0.2.1/32", "10.0.0.0/8", "2001:db8::/32", "::1/128"];
  expect(trustedProxies.map(formatCidr)).toEqual(blocks);
});

describe("problems", () => {
  test("all of them are listed at once", () => {
    const error = problemsOf({
      PATCHBAY_LISTEN: "0.0.0.0:80",
      PATCHBAY_BACKEND: "ovn",
      PATCHBAY_RESYNC_SECOND: "5",
      PATCHBAY_LOG_LEVEL: "loud",
    });
    const variables = error.problems.map((problem) => problem.variable).sort();
    expect(variables).toEqual([
      "PATCHBAY_BACKEND",
      "PATCHBAY_LISTEN",
      "PATCHBAY_LOG_LEVEL",
      "PATCHBAY_RESYNC_SECOND",
    ]);
    for (const variable of variables) expect(error.message).toContain(variable);
  });

  test("an unknown setting is refused with the nearest name and without its value", () => {
    const error = problemsOf({ PATCHBAY_OPERATOR_TOKN: "a-secret-value" });
    expect(error.message).toContain("the nearest is PATCHBAY_OPERATOR_TOKEN");
    expect(error.message).not.toContain("a-secret-value");
  });

  test.each([
    "0.0.0.0:8080",
    "192.0.2.1:8080",
    "[::]:8080",
    "example.org:80",
    "127.0.0.1.example.org:80",
  ])("plain HTTP on %s is refused", (text) => {
    expect(problemsOf({ PATCHBAY_LISTEN: text }).message).toContain("PATCHBAY_INSECURE_HTTP=true");
  });

  test("TLS allows any address, and needs both of its files", () => {
    const both = {
      PATCHBAY_LISTEN: "0.0.0.0:443",
      PATCHBAY_TLS_CERT: "/c.pem",
      PATCHBAY_TLS_KEY: "/k.pem",
    };
    expect(loadConfig(both).tls).toEqual({ certFile: "/c.pem", keyFile: "/k.pem" });
    const [problem] = problemsOf({ PATCHBAY_TLS_CERT: "/c.pem" }).problems;
    expect(problem?.variable).toBe("PATCHBAY_TLS_KEY");
  });
});

test("docs/configuration.md is the generated page", async () => {
  const page = await readFile(new URL("../../docs/configuration.md", import.meta.url), "utf8");
  expect(page).toBe(configurationDocument());
});

test("the nearest name is the one with the fewest edits", () => {
  expect(editDistance("kitten", "sitting")).toBe(3);
  expect(editDistance("", "abc")).toBe(3);
  expect(nearestName("LISTNE", ["TOKEN", "LISTEN", "LEVEL"])).toBe("LISTEN");
  expect(nearestName("x", [])).toBeUndefined();
});
