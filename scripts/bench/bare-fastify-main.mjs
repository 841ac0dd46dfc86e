// A Fastify that answers every path of a VPC with the JSON text in its first argument, parsed: the
// least that any daemon on it does. It ends with the process that started it.
import fastify from "fastify";

const payload = JSON.parse(process.argv[2]);
const app = fastify();
app.get("/v1/vpcs/:id", async () => payload);
await app.listen({ host: "127.0.0.1", port: 0 });
process.on("disconnect", () => process.exit());
process.send(app.server.address().port);
