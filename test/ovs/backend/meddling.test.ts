import { basename } from "node:path";
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { type StageBundle, stageBundle } from "../../../src/backends/ovs/bundle.js";
import { SwitchWatch } from "../../../src/backends/ovs/switch-watch.js";
import { peeringIntent, scopeOf, slice, vpcId, vpcIntent } from "../../support/intents.js";
import { type Sandbox, startSandbox, uniqueName } from "../../support/sandbox.js";
import { ALL_WELL, eventually, type Installation, install, watched } from "./fixture.js";

// What others do to bridges and ports in the middle of an application.

const VPCS = [vpcIntent(1, 1), vpcIntent(2, 1), vpcIntent(3, 1)];
const FIRST = peeringIntent(1, 1, 2);
const SECOND = peeringIntent(2, 2, 3);

let sandbox: Sandbox;
let installation: Installation;
/** Called once for each bundle that was carried out. */
let committed: (bridge: string) => Promise<void>;

const stageAndTell: StageBundle = async (path, steps) => {
  const staged = await stageBundle(path, steps);
  const commit = async () => {
    await staged.commit();
    await committed(basename(path, ".mgmt"));
  };
  return { ...staged, commit };
};

beforeEach(async () => {
  committed = async () => undefined;
  sandbox = await startSandbox();
  installation = await install(sandbox, { stageBundle: stageAndTell });
  expect(await installation.reconcile(slice("all", VPCS, [FIRST]))).toMatchObject(ALL_WELL);
});

afterEach(async () => {
  await installation.stop();
  await sandbox.stop();
});

it("confirms no peering of a VPC whose bridge goes before it is programmed", async () => {
  const { names } = installation;
  let deleted = false;
  committed = async (bridge) => {
    if (deleted || bridge !== names.exchange) return;
    deleted = true;
    await watched(installation, 4);
    await sandbox.vsctl("del-br", names.vpcBridge(3));
    await watched(installation, 3);
  };
  const peerings = [{ ...FIRST, admitted: false }, SECOND];
  const outcome = await installation.reconcile(slice(scopeOf(1, 2, 3), VPCS, peerings));
  expect(deleted).toBe(true);
  expect(outcome.installedPeerings).toEqual([]);
  expect([...outcome.failedVpcs.keys()]).toEqual([vpcId(3)]);
});

it("notices what is done to other bridges while it makes one", async () => {
  const port = installation.names.uplink(1);
  const { expecting } = SwitchWatch.prototype;
  const spy = vi.spyOn(SwitchWatch.prototype, "expecting");
  onTestFinished(() => spy.mockRestore());
  spy.mockImplementationOnce(function (this: SwitchWatch, scope, work) {
    const meddled = async () => {
      const result = await work();
      await sandbox.vsctl("remove", "Port", port, "external_ids", "patchbay-role");
      const isHeard = () => this.topology.ports.get(port)?.role === undefined;
      await eventually(isHeard);
      return result;
    };
    return expecting.call(this, scope, meddled) as ReturnType<typeof work>;
  });
  const intent = slice("all", [...VPCS, vpcIntent(4, 1)], [FIRST]);
  const { failedVpcs } = await installation.reconcile(intent);
  expect([...failedVpcs.keys()]).toEqual([vpcId(1)]);
  expect(await installation.reconcile(intent)).toMatchObject(ALL_WELL);
});

it("puts a patch port right that somebody has added an interface to", async () => {
  const port = installation.names.downlink(1);
  const odd = uniqueName("pbo");
  const create = ["--id=@odd", "create", "Interface", `name=${odd}`, "type=internal"];
  await sandbox.vsctl("--", ...create, "--", "add", "Port", port, "interfaces", "@odd");
  await eventually(() =>
    installation.doubts.some((scope) => scope !== "all" && scope.has(vpcId(1))),
  );
  const intent = slice("all", VPCS, [FIRST]);
  expect(await installation.reconcile(intent)).toMatchObject(ALL_WELL);
  expect(await sandbox.vsctl("get", "Port", port, "interfaces")).toMatch(/^\[[0-9a-f-]{36}\]$/);
  expect(await installation.reconcile(intent)).toMatchObject(ALL_WELL);
});
