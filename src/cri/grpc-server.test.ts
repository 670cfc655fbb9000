import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import type * as cri from "../format/cri/generated.ts";
import { silentLogger } from "../lib/logger.ts";
import { systemClock } from "../sys/clock.ts";
import { connectCri, type CriClient } from "../agent/cri-client.ts";
import { startGrpcServer } from "./grpc-server.ts";
import { type GrpcCode, GrpcError } from "../format/grpc/grpc-status.ts";
import { criMethods, type Handlers } from "./service-table.ts";

type Served = Partial<Handlers<cri.RuntimeServiceMethods>>;

async function withServer(
  service: Served,
  use: (client: CriClient, socketPath: string) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-cri-"));
  const socketPath = path.join(directory, "cri.sock");
  const methods = criMethods({ RuntimeService: service });
  const options = { socketPath, methods, clock: systemClock, logger: silentLogger };
  try {
    writeFileSync(socketPath, ""); // as a dead server leaves it
    await using _server = await startGrpcServer(options);
    await using client = connectCri(socketPath);
    await use(client, socketPath);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test("a call in either version gets its answer", async () => {
  const Version: Served["Version"] = ({ version }) => ({ version, runtimeName: "é" });
  await withServer({ Version }, async (client) => {
    for (const version of ["v1", "v1alpha2"] as const) {
      const answer = await client.call("RuntimeService/Version", { version: "7" }, { version });
      assert.deepEqual([answer.version, answer.runtimeName], ["7", "é"]);
    }
  });
});

test("a client that names the socket's path as the authority is served", async () => {
  await withServer({ Version: () => ({}) }, async (client, socketPath) => {
    const headers = { ":authority": socketPath };
    await client.call("RuntimeService/Version", {}, { headers });
    await client.call("RuntimeService/Version", {}, { headers });
  });
});

test("refusals carry their code and text", async () => {
  const StopContainer = () => {
    throw new GrpcError("not-found", "100 % gone: é");
  };
  const StartContainer = () => {
    throw new TypeError("unforeseen");
  };
  await withServer({ StopContainer, StartContainer }, async (client) => {
    const refused = (code: GrpcCode, message: RegExp) => ({ name: "GrpcError", code, message });
    await assert.rejects(
      client.call("RuntimeService/StopContainer", {}),
      refused("not-found", /^100 % gone: é$/),
    );
    await assert.rejects(
      client.call("RuntimeService/StartContainer", {}),
      refused("unknown", /unforeseen/),
    );
    await assert.rejects(
      client.call("RuntimeService/Status", {}),
      refused("unimplemented", /not served/),
    );
    const headers = { "grpc-timeout": "soon" };
    await assert.rejects(
      client.call("RuntimeService/StopContainer", {}, { headers }),
      refused("invalid-argument", /grpc-timeout "soon"/),
    );
  });
});

test("a deadline ends the call and tells the handler", async () => {
  let aborted: Promise<unknown> | undefined;
  const Status: Served["Status"] = (_request, { signal }) => {
    aborted = new Promise((resolve) => signal.addEventListener("abort", resolve));
    return new Promise(() => {});
  };
  await withServer({ Status }, async (client) => {
    const headers = { "grpc-timeout": "10m" };
    await assert.rejects(client.call("RuntimeService/Status", {}, { headers }), {
      code: "deadline-exceeded",
    });
    await aborted;
  });
});

test("a stream goes on until its caller leaves", async () => {
  let ended: (() => void) | undefined;
  const end = new Promise<void>((resolve) => (ended = resolve));
  async function* GetContainerEvents() {
    try {
      for (let createdAt = 1; ; createdAt++) {
        yield { createdAt };
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      ended?.();
    }
  }
  await withServer({ GetContainerEvents }, async (client) => {
    const last = await client.call(
      "RuntimeService/GetContainerEvents",
      {},
      { onMessage: (message) => (message as cri.ContainerEventResponse).createdAt === 3 },
    );
    assert.equal(last.createdAt, 3);
    await end;
  });
});

test("a client says that nobody answers, and connects once somebody does", async () => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-cri-"));
  const socketPath = path.join(directory, "cri.sock");
  const Version: Served["Version"] = () => ({ runtimeName: "here" });
  const methods = criMethods({ RuntimeService: { Version } });
  const options = { socketPath, methods, clock: systemClock, logger: silentLogger };
  try {
    await using client = connectCri(socketPath);
    const call = () => client.call("RuntimeService/Version", {});
    const missing = { code: "unavailable", message: /^Version at .*: connect ENOENT/ };
    await assert.rejects(call(), missing);
    for (let round = 0; round < 2; round++) {
      await using _server = await startGrpcServer(options);
      // The end of the server before may not have been seen yet.
      const { runtimeName } = await call().catch(call);
      assert.equal(runtimeName, "here");
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("a caller that gives up ends the call, also for the handler", async () => {
  let aborted: Promise<unknown> | undefined;
  const giving = new AbortController();
  const Status: Served["Status"] = (_request, { signal }) => {
    aborted = new Promise((resolve) => signal.addEventListener("abort", resolve));
    giving.abort();
    return new Promise(() => {});
  };
  await withServer({ Status }, async (client) => {
    const call = client.call("RuntimeService/Status", {}, { signal: giving.signal });
    await assert.rejects(call, { code: "cancelled" });
    await aborted;
    const late = client.call("RuntimeService/Status", {}, { timeoutMs: 5 });
    await assert.rejects(late, { code: "deadline-exceeded" });
  });
});

test("a socket that is served already is not taken", async () => {
  await withServer({}, async (_client, socketPath) => {
    const options = { methods: new Map(), clock: systemClock, logger: silentLogger };
    await assert.rejects(startGrpcServer({ ...options, socketPath }), { code: "EADDRINUSE" });
  });
});
