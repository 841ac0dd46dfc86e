import { randomBytes } from "node:crypto";
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, rmSync, writeFileSync, statfsSync } from "node:fs";
import { test } from "vitest";
import { storeFailure } from "../../../src/store/database/errors.js";
import { openDatabase } from "../../../src/store/database/open.js";
import { inTransaction } from "../../../src/store/database/transaction.js";
import { recordingLog } from "../../support/log.js";

test("full", async () => {
  const dir = "/tmp/full-scratch";
  mkdirSync(dir, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=120m", "tmpfs", dir]);
  try {
    const log = recordingLog();
    const database = await openDatabase({ dataDir: dir, log });
    execFileSync("sh", ["-c", `dd if=/dev/zero of=${dir}/fill bs=64k; truncate -s -10M ${dir}/fill`]);
    const tenant = (n: number) => ({ id: String(100000000000 + n), name: randomBytes(1900).toString("base64").slice(0, 1800) });
    let n = 0;
    let first: unknown;
    const kinds: Record<string, number> = {};
    for (; n < 12000; n += 1) { if (n % 500 === 0) appendFileSync("/tmp/progress.log", `${n}\n`);
      try { await inTransaction(database.client, (tx) => tx.tenant.create({ data: tenant(n) })); }
      catch (error) { appendFileSync("/tmp/progress.log", `${n} ${error}\n`); first ??= error; const k = storeFailure(error).kind; kinds[k] = (kinds[k] ?? 0) + 1;
        if ((kinds[k] ?? 0) === 1) console.log(n, k, String(error).slice(0, 600), (error as Error).stack?.slice(0, 800)); 
        if (Object.values(kinds).reduce((a, b) => a + b) > 20) break; }
    }
    console.log(n, kinds);
    console.log("ping", await database.ping().then(() => "ok", (e) => String(e)));
    console.log("read", await database.client.tenant.count().then((c) => c, (e) => String(e)));
    rmSync(`${dir}/fill`);
    console.log("freed");
    console.log("ping", await database.ping().then(() => "ok", (e) => String(e)));
    console.log("write", await database.client.tenant.create({ data: tenant(99999) }).then(() => "ok", (e) => String(e)));
    const t = Date.now();
    console.log("close", await Promise.race([database.close().then(() => "ok", (e) => String(e)), new Promise((r) => setTimeout(r, 5000, "hung"))]), Date.now() - t);
    const again = await openDatabase({ dataDir: dir, log });
    console.log("again", await again.client.tenant.count());
    await again.close();
  } finally { execFileSync("umount", ["-l", dir]); }
}, 200000);
