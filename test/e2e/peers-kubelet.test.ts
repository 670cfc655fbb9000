// The kubelet of Kubernetes 1.20, under a control plane of its own kind, with our container runtime.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";
import type { Pod, PodSpec } from "../../src/api/generated/types/core-v1.ts";
import { kubeApiServerSkip } from "../peers/kube-apiserver.ts";
import { kubeControllersSkip } from "../peers/kube-controllers.ts";
import { type KubeletCluster, startKubeletCluster } from "../peers/kubelet-cluster.ts";
import { kubeletSkip } from "../peers/kubelet.ts";
import { BUSYBOX, importBusybox } from "./busybox-image.ts";
import type { CriUnderTest } from "./cri-under-test.ts";
import { eventually } from "./eventually.ts";
import { askHttp } from "./http-answer.ts";
import { outcomeOf } from "./instance-under-test.ts";

const skip = kubeApiServerSkip() || kubeControllersSkip() || kubeletSkip();
const NODE = "peer-node";
const NODE_IP = "192.0.2.2";
const RUNNING = 1;

let cluster: KubeletCluster | undefined;
let runtime: CriUnderTest;
let kubeconfig = "";

before(async () => {
  if (skip) return;
  cluster = await startKubeletCluster({ nodeName: NODE, nodeIp: NODE_IP });
  runtime = cluster.runtime;
  kubeconfig = cluster.server.kubeconfig;
  await importBusybox(runtime.instance);
  await eventually("the node is Ready", async () =>
    / Ready /.test(await ok("get", "node", NODE, "--no-headers")),
  );
  await eventually("there is a service account", () => ok("get", "serviceaccount", "default"));
});
after(async () => {
  await cluster?.[Symbol.asyncDispose]();
});

async function ok(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await outcomeOf("kubectl", args, {
    env: { KUBECONFIG: kubeconfig },
  });
  assert.equal(code, 0, `kubectl ${args.join(" ")}: ${stderr}${stdout}`);
  return stdout;
}

async function create(
  name: string,
  spec: Partial<PodSpec> & { containers: PodSpec["containers"] },
) {
  const pod: Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: { terminationGracePeriodSeconds: 1, dnsPolicy: "Default", ...spec },
  };
  const { code, stderr } = await outcomeOf("kubectl", ["apply", "-f", "-"], {
    input: JSON.stringify(pod),
    env: { KUBECONFIG: kubeconfig },
  });
  assert.equal(code, 0, stderr);
}

function shell(script: string): PodSpec["containers"][number] {
  const command = ["sh", "-c", script];
  return { name: "main", image: BUSYBOX, imagePullPolicy: "IfNotPresent", command };
}

const fieldOf = (name: string, path: string) => ok("get", "pod", name, "-o", `jsonpath={${path}}`);

test("a pod with probes, volumes and a host port becomes Ready", { skip }, async () => {
  await ok("create", "configmap", "page", "--from-literal=index.html=served");
  const script = "echo started; touch /tmp/ready; exec httpd -f -p 8080 -h /page";
  await create("web", {
    volumes: [
      { name: "page", configMap: { name: "page" } },
      { name: "scratch", emptyDir: { medium: "Memory" } },
    ],
    containers: [
      {
        ...shell(script),
        ports: [{ containerPort: 8080, hostPort: 18_080 }],
        readinessProbe: { exec: { command: ["test", "-f", "/tmp/ready"] }, periodSeconds: 1 },
        livenessProbe: { httpGet: { path: "/index.html", port: 8080 }, periodSeconds: 1 },
        resources: { limits: { memory: "64Mi", cpu: "500m" } },
        volumeMounts: [
          { name: "page", mountPath: "/page" },
          { name: "scratch", mountPath: "/scratch" },
        ],
      },
    ],
  });
  await ok("wait", "--for=condition=Ready", "--timeout=40s", "pod/web");
  const ip = await fieldOf("web", ".status.podIP");
  assert.equal((await askHttp(`http://${ip}:8080/index.html`)).body, "served");
  assert.equal((await askHttp(`http://${NODE_IP}:18080/index.html`)).body, "served");
});

test("its log, its commands and its ports are reached through the API server", {
  skip,
}, async () => {
  assert.equal(await ok("logs", "web"), "started\n");
  const token = "test -s /var/run/secrets/kubernetes.io/serviceaccount/token && echo has a token";
  assert.equal(await ok("exec", "web", "--", "sh", "-c", token), "has a token\n");
  assert.match(await ok("exec", "web", "--", "cat", "/proc/mounts"), /^tmpfs \/scratch tmpfs /m);
  const failing = await outcomeOf("kubectl", ["exec", "web", "--", "sh", "-c", "exit 9"], {
    env: { KUBECONFIG: kubeconfig },
  });
  assert.equal(failing.code, 9);
  const forwarding = spawn("kubectl", ["port-forward", "pod/web", ":8080"], {
    env: { ...process.env, KUBECONFIG: kubeconfig },
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [line] = (await once(forwarding.stdout, "data")) as [Buffer];
    const port = /127\.0\.0\.1:(\d+)/.exec(line.toString())?.[1];
    assert.equal((await askHttp(`http://127.0.0.1:${port}/index.html`)).body, "served");
  } finally {
    forwarding.kill();
  }
});

test("the kubelet tells what the pod uses", { skip }, async () => {
  const path = `/api/v1/nodes/${NODE}/proxy/stats/summary`;
  await eventually("the container's memory", async () => {
    const { pods } = JSON.parse(await ok("get", "--raw", path)) as {
      pods: {
        podRef: { name: string };
        containers?: { memory?: { workingSetBytes?: number } }[];
      }[];
    };
    const pod = pods.find(({ podRef }) => podRef.name === "web");
    return (pod?.containers?.[0]?.memory?.workingSetBytes ?? 0) > 0;
  });
});

test("init containers run first, and a pod that ends says how", { skip }, async () => {
  const shared = [{ name: "shared", mountPath: "/shared" }];
  await create("ends", {
    restartPolicy: "Never",
    volumes: [{ name: "shared", emptyDir: {} }],
    initContainers: [
      { ...shell("echo from init > /shared/file"), name: "first", volumeMounts: shared },
    ],
    containers: [
      {
        ...shell("cat /shared/file; cat /shared/file > /dev/termination-log; exit 4"),
        volumeMounts: shared,
      },
    ],
  });
  await eventually(
    "the pod failed",
    async () => (await fieldOf("ends", ".status.phase")) === "Failed",
  );
  const { exitCode, reason, message } = JSON.parse(
    await fieldOf("ends", ".status.containerStatuses[0].state.terminated"),
  ) as { exitCode: number; reason: string; message: string };
  assert.deepEqual([exitCode, reason, message], [4, "Error", "from init\n"]);
  assert.equal(await ok("logs", "ends"), "from init\n");
});

test("a container whose liveness probe fails is started again", { skip }, async () => {
  const livenessProbe = {
    exec: { command: ["test", "-f", "/tmp/alive"] },
    periodSeconds: 1,
    failureThreshold: 1,
  };
  const script = "touch /tmp/alive; sleep 3; rm /tmp/alive; sleep 1000";
  await create("unhealthy", { containers: [{ ...shell(script), livenessProbe }] });
  await eventually("a restart", async () => {
    return Number(await fieldOf("unhealthy", ".status.containerStatuses[0].restartCount")) > 0;
  });
});

test("a command that is not there is told in the pod's status", { skip }, async () => {
  const container = { ...shell(""), command: ["/bin/absent"] };
  await create("absent", { restartPolicy: "Never", containers: [container] });
  const state = ".status.containerStatuses[0].state.terminated";
  await eventually("the pod failed", async () => /not found/.test(await fieldOf("absent", state)));
  const { exitCode, reason } = JSON.parse(await fieldOf("absent", state)) as {
    exitCode: number;
    reason: string;
  };
  assert.deepEqual([exitCode, reason], [128, "StartError"]);
});

test("killing the runtime's server restarts no container", { skip }, async () => {
  const id = ".status.containerStatuses[0].containerID";
  const earlier = await fieldOf("web", id);
  assert.match(earlier, /^nephos:\/\//);
  await runtime.restart();
  // The kubelet waits a little before it tries a connection again.
  await eventually("the container is reached", () => ok("exec", "web", "--", "echo", "here"));
  await ok("wait", "--for=condition=Ready", "--timeout=30s", "pod/web", `node/${NODE}`);
  assert.equal(await fieldOf("web", id), earlier);
  assert.equal(await fieldOf("web", ".status.containerStatuses[0].restartCount"), "0");
});

test("deleted pods end", { skip }, async () => {
  // The API keeps them for up to ten seconds more, until the kubelet's next report.
  await ok("delete", "pods", "--all", "--wait=false");
  await eventually("nothing runs", async () => {
    const filter = { state: { state: RUNNING } };
    const running = await runtime.client().call("RuntimeService/ListContainers", { filter });
    return running.containers.length === 0;
  });
});
