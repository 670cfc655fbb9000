import assert from "node:assert/strict";
import { test } from "node:test";
import type * as cri from "../format/cri/generated.ts";
import { MESSAGES } from "../format/cri/generated.ts";
import { createMessageCodec, type Outgoing } from "../format/protobuf/message-codec.ts";
import { attachRequest, etcFiles, sandboxSpec } from "./sandbox-spec.ts";

const codec = createMessageCodec(MESSAGES);
const METADATA = { name: "web", namespace: "shop", uid: "1", attempt: 0 };

/** A config as it comes from a caller. */
function config(sent: Outgoing<cri.PodSandboxConfig>): cri.PodSandboxConfig {
  const bytes = codec.encode("PodSandboxConfig", { metadata: METADATA, ...sent });
  return codec.decode("PodSandboxConfig", bytes) as cri.PodSandboxConfig;
}

const OF = { id: "s", hostname: "web", networkNamespacePath: "/ns", runtimeHandler: "" };

test("namespaces are the pod's own unless the config says otherwise", () => {
  const { shareProcessNamespace, hostPid, hostIpc } = sandboxSpec(config({}), OF);
  assert.deepEqual([shareProcessNamespace, hostPid, hostIpc], [true, false, false]);
  const securityContext = { namespaceOptions: { pid: 2, ipc: 2, network: 2 } };
  const onNode = config({ linux: { securityContext } });
  const spec = sandboxSpec(onNode, { ...OF, networkNamespacePath: undefined });
  assert.deepEqual(
    [spec.shareProcessNamespace, spec.hostPid, spec.hostIpc, spec.networkNamespacePath],
    [false, true, true, undefined],
  );
  assert.equal(attachRequest(onNode, { id: "s", handler: undefined }), undefined);
});

test("the cgroup, the settings and the runtime class are passed on", () => {
  const linux = { cgroupParent: "/kubepods/pod1", sysctls: { "net/core/somaxconn": "9" } };
  const spec = sandboxSpec(config({ linux }), { ...OF, runtimeHandler: "runsc" });
  assert.equal(spec.cgroupParent, "/kubepods/pod1");
  assert.deepEqual(spec.sysctls, { "net.core.somaxconn": "9" });
  assert.equal(spec.handler, "runsc");
});

test("ports of the node are those with a number", () => {
  const portMappings = [
    { containerPort: 80 },
    { containerPort: 53, hostPort: 5353, protocol: 1, hostIp: "127.0.0.1" },
  ];
  const handler = {
    name: "runsc",
    isDefault: false,
    hasOwnKernel: true,
    hasUserNamespaces: false,
    hasRecursiveReadOnly: false,
  };
  const request = attachRequest(config({ portMappings }), { id: "s", handler });
  assert.deepEqual(request, {
    podUid: "s",
    podName: "web",
    podNamespace: "shop",
    hostPorts: [{ containerPort: 53, hostPort: 5353, protocol: "UDP", hostIp: "127.0.0.1" }],
    asksForNeighbours: true,
  });
});

test("the files of /etc follow the config, else the node", () => {
  const node = { hostname: "node", ip: "10.0.0.2", resolvConf: "nameserver 192.0.2.1\n" };
  const plain = etcFiles(config({}), node);
  assert.equal(plain.hostname, "node\n");
  assert.equal(plain["resolv.conf"], node.resolvConf);
  const dnsConfig = { servers: ["10.96.0.10"], searches: ["a", "b"], options: ["ndots:5"] };
  const own = etcFiles(config({ hostname: "web", dnsConfig }), node);
  assert.equal(own["resolv.conf"], "search a b\nnameserver 10.96.0.10\noptions ndots:5\n");
  assert.match(own.hosts, /^10\.0\.0\.2\tweb$/m);
});
