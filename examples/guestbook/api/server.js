// Guestbook entries in Redis, over HTTP. No dependencies: RESP, the protocol of Redis, is a few lines.
"use strict";
const http = require("node:http");
const net = require("node:net");
const os = require("node:os");

// Not REDIS_PORT: a Service called "redis" puts its own variables of that name into every pod.
const { STORE_HOST = "redis", STORE_PASSWORD, GUESTBOOK_TITLE } = process.env;
const STORE_PORT = 6379;

/** Sends one command and resolves with its reply; rejects on an error reply or a broken connection. */
function redis(...command) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: STORE_HOST, port: STORE_PORT });
    const commands = STORE_PASSWORD ? [["AUTH", STORE_PASSWORD], command] : [command];
    let text = "";
    socket.setTimeout(2000, () => socket.destroy(new Error("Redis did not answer in time")));
    socket.on("error", reject);
    socket.on("connect", () => socket.write(commands.map(encode).join("")));
    socket.on("data", (chunk) => {
      text += chunk;
      const replies = decode(text);
      if (replies.length < commands.length) return;
      socket.end();
      const failed = replies.find((reply) => reply instanceof Error);
      if (failed) reject(failed);
      else resolve(replies.at(-1));
    });
  });
}

function encode(command) {
  return `*${command.length}\r\n${command
    .map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`)
    .join("")}`;
}

/** Complete replies in `text`; an incomplete one at the end is left out. */
function decode(text) {
  const replies = [];
  let at = 0;
  const line = () => {
    const end = text.indexOf("\r\n", at);
    if (end < 0) throw new RangeError("incomplete");
    const found = text.slice(at, end);
    at = end + 2;
    return found;
  };
  const reply = () => {
    const head = line();
    const value = head.slice(1);
    if (head[0] === "-") return new Error(value);
    if (head[0] === ":") return Number(value);
    if (head[0] === "$") return Number(value) < 0 ? null : line();
    if (head[0] === "*") return Array.from({ length: Number(value) }, reply);
    return value;
  };
  try {
    while (at < text.length) replies.push(reply());
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return replies;
}

async function readBody(request) {
  let body = "";
  for await (const chunk of request) {
    body += chunk;
    if (body.length > 4096) throw new RangeError("an entry is at most 4096 characters long");
  }
  return body.trim();
}

const server = http.createServer(async (request, response) => {
  const send = (status, value) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(`${JSON.stringify(value)}\n`);
  };
  try {
    if (request.url === "/healthz") return send(200, "ok");
    if (request.url === "/readyz") return send(200, await redis("PING"));
    if (request.url !== "/entries") return send(404, { error: "only /entries is here" });
    if (request.method === "POST") {
      const entry = await readBody(request);
      if (!entry) return send(400, { error: "an entry must not be empty" });
      return send(201, { entries: await redis("RPUSH", "entries", encodeURIComponent(entry)) });
    }
    const entries = await redis("LRANGE", "entries", "0", "-1");
    return send(200, {
      title: GUESTBOOK_TITLE,
      entries: entries.map(decodeURIComponent),
      servedBy: os.hostname(),
    });
  } catch (error) {
    return send(503, { error: error.message });
  }
});

server.listen(8080);
process.on("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
