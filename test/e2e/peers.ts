import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import type { Pod, PodSpec } from "../../src/api/generated/types/core-v1.ts";
import { importImages } from "./demo-images.ts";
import { askHttp } from "./http-answer.ts";
import type { InstanceUnderTest } from "./instance-under-test.ts";

/** Port on which every peer answers HTTP; UDP is the next one. */
export const PEER_PORT = 8080;

/** Has a shell and Node.js. */
export const PEER_IMAGE = "node:18";

const APP = path.join(import.meta.dirname, "peer-app.js");

/** Pods that run `peer-app.ts`. */
export interface Peers {
  /** Manifest of a peer; `name` becomes the label `app` too, unless `labels` says otherwise. */
  manifest(name: string, more?: PeerOptions): Pod;
  /** Creates peers and waits until they are Ready. */
  run(...pods: Pod[]): Promise<Map<string, string>>;
  /** Address of a running peer. */
  address(name: string): Promise<string>;
  /** Lets the peer at `ip` do something: `ask(ip, "get", { url })`. An error is "502 CODE". */
  ask(ip: string, what: string, query?: Record<string, string>): Promise<string>;
}

/** What differs among peers. */
export interface PeerOptions {
  labels?: Record<string, string>;
  node?: string;
  env?: Record<string, string>;
  spec?: Partial<PodSpec>;
  container?: Partial<PodSpec["containers"][number]>;
}

/** Imports the image and the app of the peers into a running instance. */
export async function preparePeers(instance: InstanceUnderTest): Promise<Peers> {
  await importImages(instance, ["node"]);
  await publishApp(instance, "default");
  const peers: Peers = {
    manifest: peerManifest,
    async run(...pods) {
      const list = { apiVersion: "v1", kind: "List", items: pods };
      const applied = await instance.kubectlWith(JSON.stringify(list), "apply", "-f", "-");
      assert.equal(applied.code, 0, applied.stderr);
      const names = pods.map(({ metadata }) => metadata?.name ?? "");
      const references = names.map((name) => `pod/${name}`);
      await instance.ok("wait", "--for=condition=Ready", "--timeout=30s", ...references);
      const entries = names.map(async (name) => [name, await peers.address(name)] as const);
      return new Map(await Promise.all(entries));
    },
    address: (name) => instance.ok("get", "pod", name, "-o", "jsonpath={.status.podIP}"),
    async ask(ip, what, query = {}) {
      const url = `http://${ip}:${PEER_PORT}/${what}?${new URLSearchParams(query).toString()}`;
      const { status, body } = await askHttp(url);
      return status === 200 ? body : `${status} ${body}`;
    },
  };
  return peers;
}

async function publishApp(instance: InstanceUnderTest, namespace: string): Promise<void> {
  const map = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "peer-app", namespace },
    data: { "peer-app.mjs": readFileSync(APP, "utf8") },
  };
  const created = await instance.kubectlWith(JSON.stringify(map), "apply", "-f", "-");
  assert.equal(created.code, 0, created.stderr);
}

function peerManifest(name: string, more: PeerOptions = {}): Pod {
  const env = Object.entries(more.env ?? {}).map(([key, value]) => ({ name: key, value }));
  const port = Number(more.env?.["LISTEN_HTTP"] ?? PEER_PORT);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: more.labels ?? { app: name } },
    spec: {
      terminationGracePeriodSeconds: 1,
      ...(more.node ? { nodeName: more.node } : {}),
      containers: [
        {
          name: "peer",
          image: PEER_IMAGE,
          imagePullPolicy: "IfNotPresent",
          command: ["node", "/app/peer-app.mjs"],
          env,
          ports: [{ containerPort: port }],
          readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
          volumeMounts: [{ name: "app", mountPath: "/app" }],
          ...more.container,
        },
      ],
      volumes: [{ name: "app", configMap: { name: "peer-app" } }],
      ...more.spec,
    },
  };
}
