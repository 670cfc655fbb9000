import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container } from "../../api/generated/types/core-v1.ts";
import { refuseUnconfined } from "./own-kernel.ts";

const kind = { isDefault: false, hasUserNamespaces: false, hasRecursiveReadOnly: false };
const parts = {
  runtime: {
    handlers: () => [
      { ...kind, name: "crun", hasOwnKernel: false },
      { ...kind, name: "runsc", hasOwnKernel: true },
    ],
  },
};
const seccompProfile = { type: "Localhost" as const, localhostProfile: "mine.json" };
const exec = { command: ["true"] };

function judge(container: Partial<Container>, handler = "runsc"): () => void {
  const containers = [{ name: "main", image: "busybox", ...container }];
  const spec = { securityContext: { seccompProfile }, containers };
  return () => refuseUnconfined({ metadata: { name: "web" }, spec }, { handler, parts });
}

test("a kernel of its own confines no commands of probes and hooks by a profile of the user's", () => {
  const refusal = { code: "runtime-failed", message: /container "main".*RuntimeClass/ };
  assert.throws(judge({ livenessProbe: { exec } }), refusal);
  assert.throws(judge({ lifecycle: { preStop: { exec } } }), refusal);
});

test("what runs no commands, or has no such profile, or no such kernel, is not refused", () => {
  assert.doesNotThrow(judge({}));
  assert.doesNotThrow(judge({ livenessProbe: { tcpSocket: { port: 80 } } }));
  assert.doesNotThrow(judge({ livenessProbe: { exec } }, "crun"));
  const securityContext = { seccompProfile: { type: "RuntimeDefault" as const } };
  assert.doesNotThrow(judge({ livenessProbe: { exec }, securityContext }));
  assert.doesNotThrow(judge({ livenessProbe: { exec }, securityContext: { privileged: true } }));
});
