import fc from "fast-check";
import { afterEach, beforeEach, expect, it } from "vitest";
import { exec } from "../../../src/backends/ovs/exec.js";
import { type BundleStep, formatStep } from "../../../src/openflow/bundle-step.js";
import type { Flow } from "../../../src/openflow/flow.js";
import { flowKey } from "../../../src/openflow/text.js";
import { exampleFlows } from "../../../src/pipeline/example.js";
import { sendBundle } from "../../support/send-bundle.js";
import { anyTopology } from "../../unit/pipeline/arbitrary.js";
import { anySecurity, secured } from "../../unit/pipeline/secured.js";
import { bridgesOf, TOPOLOGIES } from "../../unit/pipeline/topologies.js";
import { type Recorder, record } from "./recorder.js";

const SAMPLES = 40;

let theirs: Recorder;
let ours: Recorder;

beforeEach(async () => {
  [theirs, ours] = [await record(), await record()];
});

afterEach(async () => {
  await theirs.close();
  await ours.close();
});

it("sends what ovs-ofctl sends for every flow of the known topologies and the example", async () => {
  const topologies = Object.values(TOPOLOGIES);
  const { vpc, exchange } = exampleFlows();
  const flows = [...topologies.flatMap((each) => [...bridgesOf(each).values()].flat()), ...vpc];
  await expectSameBytes([...flows, ...exchange]);
});

it("sends what ovs-ofctl sends for flows of random topologies with random rules", async () => {
  const any = fc.tuple(anyTopology(), anySecurity());
  const samples = fc.sample(any, SAMPLES);
  const flows = samples.flatMap(([topology, security]) =>
    [...bridgesOf(secured(topology, security)).values()].flat(),
  );
  const different = new Map(flows.map((flow) => [`${flowKey(flow)} ${flow.actions}`, flow]));
  expect(different.size).toBeGreaterThan(500);
  await expectSameBytes([...different.values()]);
});

async function expectSameBytes(flows: readonly Flow[]): Promise<void> {
  const steps: BundleStep[] = flows.flatMap((flow) => [
    { kind: "add", flow },
    { kind: "delete", flow },
  ]);
  const lines = steps.map((step) => `${formatStep(step)}\n`);
  const target = `unix:${theirs.path}`;
  const options = ["-O", "OpenFlow14", "--no-names", "--bundle"];
  await exec("ovs-ofctl", [...options, "add-flows", target, "-"], lines.join(""));
  await sendBundle(ours.path, steps);
  const [expected, sent] = [theirs.flowMods(), ours.flowMods()];
  expect(expected).toHaveLength(lines.length);
  const wrong = lines.filter((_, index) => sent[index] !== expected[index]);
  expect(wrong.slice(0, 5)).toEqual([]);
  expect(sent).toEqual(expected);
}
