import { expect, test, vi } from "vitest";
import { startTestApi } from "../support/api.js";
import { answerEngines } from "../support/databases.js";
import { Fuzzer, reportOf } from "./fuzzer.js";
import { fuzzSettings } from "./settings.js";
import { injected } from "./transport.js";

vi.setConfig({ testTimeout: 600_000 });

const [engine] = answerEngines;
if (engine === undefined) throw new Error("there is no engine");

const { seed, calls } = fuzzSettings({ seed: 1, calls: 250 });

test(`${calls} calls from the description are answered as it declares (FUZZ_SEED=${seed})`, async () => {
  const api = await startTestApi(engine);
  const { app, operatorToken } = api;
  const fuzzer = await Fuzzer.start({ transport: injected(app), operatorToken, seed });
  await fuzzer.run(calls);
  await api.stop();
  expect(reportOf(fuzzer.findings)).toEqual([]);
  // Calls that are all refused would show little.
  const succeeded = [...fuzzer.tally].filter(([, counts]) => counts.has(200) || counts.has(201));
  expect(succeeded.length).toBeGreaterThan(fuzzer.operations.length / 8);
});
