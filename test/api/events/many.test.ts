import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { databaseEngines, type FreshDatabase } from "../../support/databases.js";
import { type ListeningApp, newTenant, newVpc, startApp } from "./app.js";
import { type EventStream, openStream } from "./sse-client.js";

/** More than the listeners of one kind that Node takes for no leak. */
const MANY = 20;

describe.each(databaseEngines)("many streams at once on $name", (engine) => {
  let fresh: FreshDatabase;
  let app: ListeningApp;
  const warnings: string[] = [];
  const note = (warning: Error) => void warnings.push(warning.message);

  beforeAll(async () => {
    process.on("warning", note);
    fresh = await engine.fresh();
    app = await startApp(fresh, { streamsPerKey: 2 * MANY, streamsPerTenant: 2 * MANY });
  });
  afterAll(async () => {
    process.off("warning", note);
    await fresh.cleanup();
  });

  test("come, are told, go and end with the app, and Node warns of nothing", async () => {
    const { token } = await newTenant(app, "admin");
    const openMany = () => Promise.all(Array.from({ length: MANY }, () => openAt(token)));
    const [stay, leave] = [await openMany(), await openMany()];
    for (const stream of leave) stream.leave();
    await newVpc(app, token, "10.0.0.0/16");
    const frames = await Promise.all(stay.map((stream) => stream.next()));
    expect(frames.map((frame) => frame?.event)).toEqual(Array(MANY).fill(frames[0]?.event));
    const ended = Promise.all(stay.map((stream) => stream.rest()));
    await app.stop();
    await ended;
    expect(warnings).toEqual([]);
  });

  async function openAt(token: string): Promise<EventStream> {
    const stream = await openStream(app.url, token, { query: "?after=0" });
    expect(stream.status).toBe(200);
    return stream;
  }
});
