import { Agent, request } from "node:http";
import autocannon from "autocannon";

const TIMEOUT_SECONDS = 60;

/** Requests without a pause, each connection the next one as soon as it is answered. */
export function stormOf(attack, { connections, pathOf, tokenOf = (token) => token }) {
  let next = 0;
  const storm = autocannon({
    url: attack.url,
    connections,
    duration: 3600,
    timeout: TIMEOUT_SECONDS,
    setupClient(each) {
      const at = next++;
      const token = tokenOf(attack.tokens[at % attack.tokens.length]);
      const headers = { authorization: `Bearer ${token}` };
      each.setRequests([{ method: "GET", path: pathOf(attack, at), headers }]);
    },
  });
  storm.on("response", (_client, status) => attack.count(status));
  storm.on("reqError", () => attack.count("error"));
  return () => storm.stop();
}

/** Does something again and again, so many times at once. */
export function inLoops(times, step) {
  const stopping = new AbortController();
  const loop = async (at) => {
    while (!stopping.signal.aborted) await step(at);
  };
  for (let at = 0; at < times; at += 1) void loop(at);
  return () => stopping.abort();
}

const agent = new Agent({ keepAlive: true, maxSockets: 1000 });

/** @returns {Promise<object>} the parsed answer, empty when there is none */
export function ask({ url, count }, { token, method, path, body }) {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    authorization: `Bearer ${token}`,
    ...(payload !== undefined && { "content-type": "application/json" }),
  };
  return new Promise((resolve) => {
    const sent = request(`${url}${path}`, { method, headers, agent }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => {
        count(response.statusCode);
        const text = Buffer.concat(parts).toString();
        resolve(response.statusCode < 300 && text !== "" ? JSON.parse(text) : {});
      });
    });
    sent.on("error", () => {
      count("error");
      resolve({});
    });
    sent.end(payload);
  });
}
