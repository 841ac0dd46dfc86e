// A process that attacks until it is told to stop, and then says what it was answered.
import { SCENARIOS } from "./scenarios.mjs";

process.once("message", ({ scenario, url, tokens, vpcIds }) => {
  const answers = {};
  const count = (status) => {
    answers[status] = (answers[status] ?? 0) + 1;
  };
  const stop = SCENARIOS[scenario].begin({ url, tokens, vpcIds, count });
  process.once("message", () => {
    stop();
    process.send({ ...answers }, () => process.exit());
  });
});
process.once("disconnect", () => process.exit());
