// The JavaScript client of Kubernetes itself, unmodified, against a real instance.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import path from "node:path";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import {
  ApiException,
  AppsV1Api,
  Attach,
  CoreV1Api,
  Cp,
  Exec,
  KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  Log,
  Metrics,
  makeInformer,
  PatchStrategy,
  PortForward,
  setHeaderOptions,
  topNodes,
  topPods,
  type V1ConfigMap,
  type V1ObjectMeta,
  type V1Status,
  Watch,
} from "@kubernetes/client-node";
import { importBusybox } from "./busybox-image.ts";
import { eventually } from "./eventually.ts";
import { type InstanceUnderTest, startInstance } from "./instance-under-test.ts";
import { startMetricsAdapter } from "./metrics-adapter.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";
const NAMESPACE = "default";
const WAIT_MS = 20_000;

let instance: InstanceUnderTest;
const config = new KubeConfig();

describe("@kubernetes/client-node", { skip }, () => {
  before(async () => {
    instance = await startInstance("--listen", "127.0.0.1:6443");
    config.loadFromFile(path.join(instance.dataDirectory, "kubeconfig"));
    await importBusybox(instance);
    await startServer();
  });
  after(async () => {
    await instance?.[Symbol.asyncDispose]();
  });

  test("creates, reads, lists, replaces, patches and deletes", async () => {
    const core = config.makeApiClient(CoreV1Api);
    const body = { metadata: { name: "settings", labels: { app: "crud" } }, data: { a: "1" } };
    const created = await core.createNamespacedConfigMap({ namespace: NAMESPACE, body });
    assert.ok(created.metadata?.creationTimestamp instanceof Date);
    const about = { namespace: NAMESPACE, name: "settings" };
    const read = await core.readNamespacedConfigMap(about);
    assert.deepEqual(read.data, { a: "1" });
    const labelSelector = "app=crud";
    const list = await core.listNamespacedConfigMap({ namespace: NAMESPACE, labelSelector });
    assert.deepEqual(
      list.items.map(({ metadata }) => metadata?.name),
      ["settings"],
    );
    const changed = { metadata: read.metadata ?? {}, data: { a: "2" } };
    await core.replaceNamespacedConfigMap({ ...about, body: changed });
    await assert.rejects(
      core.replaceNamespacedConfigMap({ ...about, body: changed }),
      isStatus(409),
    );
    const patched = await core.patchNamespacedConfigMap(
      { ...about, body: { data: { b: "3" } } },
      setHeaderOptions("Content-Type", PatchStrategy.StrategicMergePatch),
    );
    assert.deepEqual(patched.data, { a: "2", b: "3" });
    const byJson = await core.patchNamespacedConfigMap({
      ...about,
      body: [{ op: "remove", path: "/data/a" }],
    });
    assert.deepEqual(byJson.data, { b: "3" });
    await core.deleteNamespacedConfigMap(about);
    await assert.rejects(core.readNamespacedConfigMap(about), isStatus(404));
  });

  test("applies objects of any kind on the server side", async () => {
    const objects = KubernetesObjectApi.makeApiClient(config);
    const service = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "applied", namespace: NAMESPACE },
      spec: { ports: [{ port: 80 }] },
    };
    const applied = await objects.patch(
      service,
      undefined,
      undefined,
      "tester",
      true,
      PatchStrategy.ServerSideApply,
    );
    assert.equal(metadataOf(applied)?.managedFields?.[0]?.manager, "tester");
    const read = await objects.read(service);
    assert.equal(metadataOf(read)?.uid, metadataOf(applied)?.uid);
    await objects.delete(service);
  });

  test("watches from a list on", async () => {
    const core = config.makeApiClient(CoreV1Api);
    const { metadata } = await core.listNamespacedConfigMap({ namespace: NAMESPACE });
    const seen: string[] = [];
    const ended = deferred<unknown>();
    const deleted = deferred<void>();
    const request = await new Watch(config).watch(
      `/api/v1/namespaces/${NAMESPACE}/configmaps`,
      { resourceVersion: metadata?.resourceVersion ?? "" },
      (type: string, object: V1ConfigMap) => {
        if (object.metadata?.name === "watched") seen.push(type);
        if (type === "DELETED") deleted.resolve();
      },
      ended.resolve,
    );
    const about = { namespace: NAMESPACE, name: "watched" };
    await core.createNamespacedConfigMap({ ...about, body: { metadata: { name: "watched" } } });
    await core.patchNamespacedConfigMap(
      { ...about, body: { data: { a: "1" } } },
      setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
    );
    await core.deleteNamespacedConfigMap(about);
    await within("the watch saw the deletion", deleted.promise);
    request.abort();
    await within("the watch ended", ended.promise);
    assert.deepEqual(seen, ["ADDED", "MODIFIED", "DELETED"]);
  });

  test("keeps an informer", async () => {
    const core = config.makeApiClient(CoreV1Api);
    const list = () => core.listNamespacedConfigMap({ namespace: NAMESPACE });
    const where = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
    const informer = makeInformer<V1ConfigMap>(config, where, list);
    const events: string[] = [];
    const gone = deferred<void>();
    const named = (verb: string) => (object: V1ConfigMap) => {
      if (object.metadata?.name !== "informed") return;
      events.push(verb);
      if (verb === "delete") gone.resolve();
    };
    for (const verb of ["add", "update", "delete"] as const) informer.on(verb, named(verb));
    const body = { metadata: { name: "informed" } };
    await core.createNamespacedConfigMap({ namespace: NAMESPACE, body });
    await informer.start();
    assert.equal(informer.get("informed", NAMESPACE)?.metadata?.name, "informed");
    const changed = { ...body, data: { a: "1" } };
    const about = { namespace: NAMESPACE, name: "informed" };
    await core.replaceNamespacedConfigMap({ ...about, body: changed });
    await core.deleteNamespacedConfigMap(about);
    await within("the informer saw the deletion", gone.promise);
    await informer.stop();
    assert.deepEqual(events, ["add", "update", "delete"]);
    assert.equal(informer.get("informed", NAMESPACE), undefined);
  });

  test("runs commands in a container", async () => {
    const { stdout, stderr, status } = await execute(
      ["sh", "-c", "cat; echo no >&2; exit 3"],
      "yes",
    );
    assert.deepEqual([stdout, stderr], ["yes", "no\n"]);
    assert.equal(status.reason, "NonZeroExitCode");
    assert.equal(status.details?.causes?.[0]?.message, "3");
    assert.equal((await execute(["true"])).status.status, "Success");
  });

  test("follows a log", async () => {
    const stream = new PassThrough();
    const log = new Log(config);
    const request = await log.log(NAMESPACE, "server", "main", stream, { follow: true });
    const [line] = await within("a line", once(stream, "data"));
    assert.equal(`${line}`, "serving\n");
    request.abort();
  });

  test("forwards a port", async () => {
    const [output, input] = [new PassThrough(), new PassThrough()];
    const page = deferred<string>();
    let answer = "";
    // The client does not end its output when the connection ends.
    output.on("data", (chunk: Buffer) => {
      answer += chunk.toString();
      if (answer.endsWith("page\n")) page.resolve(answer);
    });
    const forward = new PortForward(config);
    await forward.portForward(NAMESPACE, "server", [8080], output, null, input);
    input.write("GET /index.html HTTP/1.0\r\n\r\n");
    assert.match(await within("the page", page.promise), /200 OK[\s\S]*page/);
    input.end();
  });

  test("attaches to a container that reads", async () => {
    const output = new PassThrough();
    const told = deferred<string>();
    let text = "";
    output.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes("got typed")) told.resolve(text);
    });
    const input = new PassThrough();
    const attach = new Attach(config);
    const socket = await attach.attach(NAMESPACE, "server", "reader", output, null, input, false);
    input.write("typed\n");
    await within("the container's answer", told.promise);
    socket.close();
  });

  test("copies files into a container", async () => {
    const near = mkdtempSync(path.join(instance.dataDirectory, "near-"));
    writeFileSync(path.join(near, "file"), "text");
    await new Cp(config).cpToPod(NAMESPACE, "server", "main", near, "/tmp");
    await eventually("the file is there", async () => {
      return (await execute(["cat", "/tmp/file"])).stdout === "text";
    });
  });

  test("reads metrics of nodes and pods", async () => {
    const metrics = new Metrics(config);
    const names = await eventually("the pod is measured", async () => {
      const { items } = await metrics.getPodMetrics(NAMESPACE);
      return items.find(({ metadata }) => metadata.name === "server")?.containers;
    });
    assert.deepEqual(names.map(({ name }) => name).sort(), ["main", "reader"]);
    const core = config.makeApiClient(CoreV1Api);
    const [node] = await topNodes(core);
    assert.ok(Number(node?.CPU.Capacity) > 0);
    const pods = await topPods(core, metrics, NAMESPACE);
    assert.ok(pods.some(({ Pod }) => Pod.metadata?.name === "server"));
  });

  test("scales a deployment, and reads what has no typed method", async () => {
    const apps = config.makeApiClient(AppsV1Api);
    const labels = { app: "none" };
    const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "none" }] } };
    const spec = { replicas: 0, selector: { matchLabels: labels }, template };
    const about = { namespace: NAMESPACE, name: "scaled" };
    await apps.createNamespacedDeployment({
      namespace: NAMESPACE,
      body: { metadata: { name: "scaled" }, spec },
    });
    const scale = await apps.readNamespacedDeploymentScale(about);
    assert.equal(scale.spec?.replicas ?? 0, 0);
    const body = { metadata: { name: "scaled", namespace: NAMESPACE }, spec: { replicas: 1 } };
    const scaled = await apps.replaceNamespacedDeploymentScale({ ...about, body });
    assert.equal(scaled.spec?.replicas, 1);
    await apps.deleteNamespacedDeployment(about);
  });

  test("an autoscaler follows metrics that an adapter serves", async () => {
    await using adapter = await startMetricsAdapter(instance);
    const { values } = adapter;
    const objects = KubernetesObjectApi.makeApiClient(config);
    const labels = { app: "scaled" };
    const container = { name: "c", image: "busybox:test", command: ["sleep", "1000"] };
    const template = {
      metadata: { labels },
      spec: { terminationGracePeriodSeconds: 0, containers: [container] },
    };
    await objects.create({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "followed", namespace: NAMESPACE },
      spec: { selector: { matchLabels: labels }, template },
    } as KubernetesObject);
    await instance.ok("rollout", "status", "deployment/followed", "--timeout=30s");
    const pod = await instance.ok("get", "pods", "-l=app=scaled", "-o=jsonpath={..metadata.name}");
    const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "followed" };
    const metricOf = {
      pods: { name: "rps" },
      object: { name: "hits" },
      external: { name: "queue" },
    };
    values.set("pods/*/rps", [{ of: pod, value: "5" }]);
    values.set("deployments.apps/followed/hits", [{ of: "followed", value: "1500m" }]);
    values.set("queue", [{ value: "20" }, { value: "9500m" }]);
    await objects.create({
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata: { name: "followed", namespace: NAMESPACE },
      spec: {
        scaleTargetRef,
        maxReplicas: 9,
        metrics: [
          {
            type: "Pods",
            pods: { metric: metricOf.pods, target: { type: "AverageValue", averageValue: "5" } },
          },
          {
            type: "Object",
            object: {
              metric: metricOf.object,
              describedObject: scaleTargetRef,
              target: { type: "Value", value: "1" },
            },
          },
          {
            type: "External",
            external: {
              metric: metricOf.external,
              target: { type: "AverageValue", averageValue: "10" },
            },
          },
        ],
      },
    } as KubernetesObject);
    const event = "involvedObject.name=followed,reason=SuccessfulRescale";
    await eventually("it is scaled by the largest wish", async () => {
      const told = await instance.ok("get", "events", "--field-selector", event);
      return told.includes("New size: 3; reason: external metric queue(nil) above target");
    });
    const current = "-o=jsonpath={range .status.currentMetrics[*]}{.type}={.*.current.*} {end}";
    await eventually("its values stand in its status", async () => {
      const told = await instance.ok("get", "hpa", "followed", current);
      return /^Pods=5 Object=1500m External=\d+m? $/.test(told) || assert.fail(told);
    });
    await instance.ok("delete", "hpa/followed", "deployment/followed");
  });
});

/** A pod that serves a page on port 8080. */
async function startServer(): Promise<void> {
  const script =
    "mkdir /www; echo page > /www/index.html; echo serving; exec busybox httpd -f -p 8080 -h /www";
  const core = config.makeApiClient(CoreV1Api);
  const container = { name: "main", image: "busybox:test", command: ["sh", "-c", script] };
  const answer = "while read line; do echo got $line; done";
  const reader = {
    name: "reader",
    image: "busybox:test",
    stdin: true,
    command: ["sh", "-c", answer],
  };
  const spec = { terminationGracePeriodSeconds: 0, containers: [container, reader] };
  await core.createNamespacedPod({
    namespace: NAMESPACE,
    body: { metadata: { name: "server" }, spec },
  });
  const ready = ["wait", "--for=condition=Ready", "pod/server", "--timeout=30s"];
  await instance.ok("-n", NAMESPACE, ...ready);
}

async function execute(
  command: string[],
  input?: string,
): Promise<{ stdout: string; stderr: string; status: V1Status }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const done = deferred<V1Status>();
  const stdin = input === undefined ? null : Readable.from([input]);
  await new Exec(config).exec(
    NAMESPACE,
    "server",
    "main",
    command,
    stdout,
    stderr,
    stdin,
    false,
    done.resolve,
  );
  const status = await within("the command ended", done.promise);
  stdout.end();
  stderr.end();
  return { stdout: await text(stdout), stderr: await text(stderr), status };
}

function metadataOf({ metadata }: KubernetesObject): V1ObjectMeta | undefined {
  return metadata;
}

interface Deferred<T> {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (reason: Error) => void;
}

/** `Promise.withResolvers`, which Node.js 20 does not have. */
function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {};
  let reject: (reason: Error) => void = () => {};
  const promise = new Promise<T>((onValue, onReason) => {
    resolve = onValue;
    reject = onReason;
  });
  return { promise, resolve, reject };
}

function isStatus(code: number): (error: unknown) => boolean {
  return (error) => error instanceof ApiException && error.code === code;
}

/** @throws Error that names what did not come true in time */
async function within<T>(what: string, promise: Promise<T>): Promise<T> {
  const late = deferred<never>();
  const timer = setTimeout(() => late.reject(new Error(`not in time: ${what}`)), WAIT_MS);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
