// What a cluster must refuse, survive or explain, each in its own words.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Container, Pod } from "../../src/api/generated/types/core-v1.ts";
import { loadKubeconfig } from "../../src/client/kubeconfig.ts";
import { importImages } from "./demo-images.ts";
import { eventually } from "./eventually.ts";
import {
  type InstanceUnderTest,
  outcomeOf,
  prepareInstance,
  startInstance,
} from "./instance-under-test.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";
const NEPHOS = path.resolve(import.meta.dirname, "../../../bin/nephos");
const MAPS = "/api/v1/namespaces/default/configmaps";
const NOBODY = ["--reuid=65534", "--regid=65534", "--clear-groups"];

let instance: InstanceUnderTest;

before(async () => {
  if (skip) return;
  instance = await startInstance();
  await importImages(instance, ["busybox"]);
});
after(async () => {
  await instance?.[Symbol.asyncDispose]();
});

interface Refusal {
  httpStatus: number;
  reason: string;
  message: string;
  warning: string;
}

/** Sends bytes as the administrator, past everything that kubectl would notice itself. */
async function send(
  target: string,
  body: string,
  type = "application/json",
  method = "POST",
): Promise<Refusal> {
  const text = readFileSync(path.join(instance.dataDirectory, "kubeconfig"), "utf8");
  const { server, caPem, certPem, keyPem } = loadKubeconfig(text);
  if (!caPem || !certPem || !keyPem) assert.fail("the kubeconfig is incomplete");
  const identity = { ca: caPem, cert: certPem, key: keyPem };
  const headers = { "content-type": type };
  const signal = AbortSignal.timeout(10_000);
  const sent = request(`${server}${target}`, {
    method,
    headers,
    ...identity,
    agent: false,
    signal,
  });
  // A server may answer, and close, before it has read all of a body that it refuses.
  sent.on("error", () => {});
  sent.end(body);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const answer = JSON.parse(Buffer.concat(chunks).toString()) as Refusal;
  return {
    httpStatus: response.statusCode ?? 0,
    reason: answer.reason,
    message: answer.message,
    warning: `${response.headers["warning"] ?? ""}`,
  };
}

const configMap = (more: object, metadata: object = { name: "bad" }) =>
  JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata, ...more });

const refusals: readonly {
  what: string;
  target?: string;
  body: string;
  type?: string;
  method?: string;
  wanted: [number, string, RegExp];
}[] = [
  {
    what: "JSON that is cut short",
    body: '{"kind":"ConfigMap",',
    wanted: [400, "BadRequest", /unexpected end of JSON input/],
  },
  { what: "JSON that is no object", body: "[]", wanted: [400, "BadRequest", /unmarshal array/] },
  { what: "no body", body: "", wanted: [400, "BadRequest", /end of JSON input \(<empty>\)/] },
  {
    what: "JSON that is nested without end",
    body: "[".repeat(1_000_000),
    wanted: [400, "BadRequest", /max depth/],
  },
  {
    what: "malformed YAML",
    body: "a: b: c",
    type: "application/yaml",
    wanted: [400, "BadRequest", /converting YAML to JSON/],
  },
  {
    what: "a duplicate key in JSON",
    target: `${MAPS}?fieldValidation=Strict`,
    body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"d","name":"e"}}',
    wanted: [400, "BadRequest", /duplicate field "metadata.name"/],
  },
  {
    what: "a duplicate key in YAML",
    target: `${MAPS}?fieldValidation=Strict`,
    body: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: d}\ndata:\n  a: left\n  a: right\n",
    type: "application/yaml",
    wanted: [400, "BadRequest", /key "a" already set in map|duplicate/],
  },
  {
    what: "an unknown field",
    target: `${MAPS}?fieldValidation=Strict`,
    body: configMap({ dat: {} }),
    wanted: [400, "BadRequest", /unknown field "dat"/],
  },
  {
    what: "a number where a string belongs",
    body: configMap({ data: { a: 1 } }),
    wanted: [400, "BadRequest", /cannot unmarshal number/],
  },
  {
    what: "a name that no object may have",
    body: configMap({}, { name: "Not_A_Name" }),
    wanted: [422, "Invalid", /RFC 1123/],
  },
  {
    what: "a name that is too long",
    body: configMap({}, { name: "n".repeat(254) }),
    wanted: [422, "Invalid", /no more than 253/],
  },
  {
    what: "an object of another namespace",
    body: configMap({}, { name: "bad", namespace: "other" }),
    wanted: [400, "BadRequest", /namespace/],
  },
  {
    what: "a body of 4 MiB",
    body: configMap({ data: { a: "x".repeat(4 << 20) } }),
    wanted: [413, "RequestEntityTooLarge", /limit is 3145728/],
  },
  {
    what: "a ConfigMap of 2 MiB",
    body: configMap({ data: { a: "x".repeat(2 << 20) } }),
    wanted: [422, "Invalid", /may not be more than 1048576|must have at most 1048576/],
  },
  {
    what: "a media type that nobody speaks",
    body: "x",
    type: "text/plain",
    wanted: [415, "UnsupportedMediaType", /unknown format/],
  },
  {
    what: "a patch that is no patch",
    target: `${MAPS}/kube-root-ca.crt`,
    method: "PATCH",
    body: '{"data":{}}',
    type: "application/json-patch+json",
    wanted: [400, "BadRequest", /./],
  },
  {
    what: "a resource that does not exist",
    target: "/api/v1/namespaces/default/nothings",
    body: "{}",
    wanted: [404, "NotFound", /could not find the requested resource/],
  },
];

for (const { what, target = MAPS, body, type, method, wanted } of refusals) {
  test(`the API refuses ${what}`, { skip }, async () => {
    const { httpStatus, reason, message } = await send(target, body, type, method);
    assert.deepEqual([httpStatus, reason], wanted.slice(0, 2), message);
    assert.match(message, wanted[2]);
  });
}

test("what is only suspicious is kept, with a warning", { skip }, async () => {
  const body = configMap({ dat: {} }, { name: "warned" });
  const { httpStatus, warning } = await send(`${MAPS}?fieldValidation=Warn`, body);
  assert.equal(httpStatus, 201);
  assert.match(warning, /unknown field \\?"dat\\?"/);
});

function podOf(name: string, container: Partial<Container>): Pod {
  const one = { name: "app", image: "busybox:1.35", ...container };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: { terminationGracePeriodSeconds: 0, containers: [one] },
  };
}

const impossible: readonly [string, Partial<Container>, RegExp][] = [
  ["a quantity that is none", { resources: { limits: { memory: "10XB" } } }, /quantit/],
  ["a negative quantity", { resources: { limits: { cpu: "-1" } } }, /greater than or equal to 0/],
  [
    "a request above its limit",
    { resources: { limits: { memory: "1Mi" }, requests: { memory: "2Mi" } } },
    /less than or equal to memory limit/,
  ],
  ["a port out of range", { ports: [{ containerPort: 70_000 }] }, /between 1 and 65535/],
  ["a variable without a name", { env: [{ name: "" }] }, /env\[0\]\.name: Required/],
  ["a mount of no volume", { volumeMounts: [{ name: "no", mountPath: "/x" }] }, /Not found: "no"/],
  ["a container without an image", { image: "" }, /image: Required/],
];

test("pods that cannot be are refused with the field at fault", { skip }, async () => {
  for (const [what, container, message] of impossible) {
    const input = JSON.stringify(podOf("bad", container));
    const { code, stderr } = await instance.kubectlWith(input, "create", "-f", "-");
    assert.equal(code, 1, what);
    assert.match(stderr, message, what);
  }
});

async function run(name: string, container: Partial<Container>): Promise<void> {
  const input = JSON.stringify(podOf(name, container));
  const { code, stderr } = await instance.kubectlWith(input, "create", "-f", "-");
  assert.equal(code, 0, stderr);
}

type ContainerStatus = NonNullable<NonNullable<Pod["status"]>["containerStatuses"]>[number];

/** Waits for a state of the pod's container. */
const untilContainer = (name: string, what: string, done: (status: ContainerStatus) => boolean) =>
  eventually(`${name}: ${what}`, async () => {
    const pod = JSON.parse(await instance.ok("get", "pod", name, "-o=json")) as Pod;
    const status = pod.status?.containerStatuses?.[0];
    return status && done(status) ? status : undefined;
  });

test("a container that crashes at once is restarted ever more slowly", { skip }, async () => {
  await run("crashes", { command: ["sh", "-c", "echo oops; exit 3"] });
  const { lastState } = await untilContainer("crashes", "CrashLoopBackOff", ({ state }) => {
    return state?.waiting?.reason === "CrashLoopBackOff";
  });
  assert.equal(lastState?.terminated?.exitCode, 3);
  assert.equal(await instance.ok("logs", "crashes"), "oops\n");
  await eventually("the event", async () =>
    (await instance.ok("events", "--for=pod/crashes")).includes("BackOff"),
  );
});

test("a container that takes too much memory is killed for it", { skip }, async () => {
  await run("greedy", {
    command: ["sh", "-c", "head -c 200m /dev/zero | tail"],
    resources: { limits: { memory: "16Mi" } },
  });
  const { lastState, state } = await untilContainer("greedy", "OOMKilled", (status) => {
    return (status.lastState?.terminated ?? status.state?.terminated) !== undefined;
  });
  const ended = lastState?.terminated ?? state?.terminated;
  assert.deepEqual([ended?.reason, ended?.exitCode], ["OOMKilled", 137]);
});

test("an image and a command that are not there are named", { skip }, async () => {
  await run("noimage", { image: "nowhere:1", imagePullPolicy: "IfNotPresent" });
  await run("nocommand", { command: ["/no/such"] });
  const { state } = await untilContainer("noimage", "ErrImagePull", ({ state: now }) => {
    return /^(ErrImagePull|ImagePullBackOff)$/.test(now?.waiting?.reason ?? "");
  });
  assert.match(state?.waiting?.message ?? "", /nowhere:1/);
  const { lastState } = await untilContainer("nocommand", "an end", (status) => {
    return status.lastState?.terminated !== undefined;
  });
  assert.match(lastState?.terminated?.message ?? "", /\/no\/such/);
});

test("a pod waits for its ConfigMap and starts once there is one", { skip }, async () => {
  await run("early", {
    command: ["sleep", "1000"],
    envFrom: [{ configMapRef: { name: "late" } }],
  });
  const { state } = await untilContainer("early", "waiting", ({ state: now }) => {
    return now?.waiting?.reason === "CreateContainerConfigError";
  });
  assert.equal(state?.waiting?.message, 'configmap "late" not found');
  await instance.ok("create", "configmap", "late", "--from-literal=COLOUR=blue");
  await instance.ok("wait", "pod/early", "--for=condition=Ready", "--timeout=30s");
  assert.equal(await instance.ok("exec", "early", "--", "sh", "-c", "echo $COLOUR"), "blue\n");
});

test("bad pods are deleted like good ones", { skip }, async () => {
  await instance.ok("delete", "pods", "--all", "--timeout=30s");
  assert.equal(await instance.ok("get", "pods"), "");
});

test("a port in use, and what cannot be understood, is said in one sentence", {
  skip,
}, async () => {
  const elsewhere = path.join(instance.dataDirectory, "elsewhere");
  const up = ["up", "--detach", "--data-dir", elsewhere];
  const wrong: readonly [string[], number, RegExp][] = [
    [up, 1, /^nephos: Cannot listen on 127\.0\.0\.1:6443 as another program uses it; .*\n$/],
    [[...up, "--bogus"], 2, /^nephos: Unknown option '--bogus'; see "nephos help"\n$/],
    [[...up, "--nodes", "many"], 2, /^nephos: --nodes must be a whole number .* not "many".*\n$/],
    [[...up, "--listen", "here"], 2, /^nephos: --listen must be ADDRESS:PORT .*\n$/],
    [[...up, "--config", "/nowhere"], 2, /^nephos: Cannot read the configuration .*\n$/],
    [[...up, "--authentication-config", "/nowhere"], 2, /^nephos: --authentication-config .*\n$/],
    [[...up, "--audit-policy", "/nowhere"], 2, /^nephos: --audit-policy .* no such file .*\n$/],
    [[...up, "--scheduler-config", "/nowhere"], 2, /^nephos: --scheduler-config .*\n$/],
    [[...up, "--cluster-cidr", "wide"], 2, /^nephos: --cluster-cidr: "wide" is not .*\n$/],
    [[...up, "twice"], 2, /^nephos: "twice" says nothing here: .*\n$/],
    [[...up, "--oidc-client-id", "a"], 2, /^nephos: --oidc-issuer-url and .* together .*\n$/],
    [["fly"], 2, /^nephos: "fly" is not a command; see "nephos help"\n$/],
    [
      ["image", "import", "/nowhere"],
      1,
      /^nephos: Cannot read image archive "\/nowhere": ENOENT: no such file/,
    ],
    [["image", "import", "/etc/passwd"], 1, /^nephos: Cannot import "\/etc\/passwd": .*\n$/],
  ];
  for (const [[command = "", ...args], wantedCode, message] of wrong) {
    const { code, stderr } = args.includes("--data-dir")
      ? await outcomeOf(NEPHOS, [command, ...args])
      : await instance.nephos(command, ...args);
    assert.equal(code, wantedCode, stderr);
    assert.match(stderr, message);
  }
  assert.ok(!readdirSync(instance.dataDirectory).includes("elsewhere"), "nothing half-done");
});

test("what stands in the way of a start is told with what to do", { skip }, async () => {
  await using second = prepareInstance();
  const taken = await second.nephos("up", "--detach", "--listen", "127.0.0.1:17443");
  assert.deepEqual([taken.code, taken.stdout], [1, ""], taken.stderr);
  const holder = `process ${instance.pid()} \\(\\S+\\) listens on 10\\.96\\.0\\.1:443`;
  const todo = "stop it .*, or choose another with --service-cidr";
  assert.match(
    taken.stderr,
    new RegExp(`^nephos: Cannot listen on 10\\.96\\.0\\.1:443 as ${holder}; ${todo}\\n$`),
  );
  const entry = path.resolve(import.meta.dirname, "../../src/cmd/nephos.js");
  const args = [entry, "up", "--detach", "--data-dir", second.dataDirectory];
  const bare = await outcomeOf(process.execPath, args, { env: { PATH: second.dataDirectory } });
  assert.equal(bare.code, 1);
  const [crun, conmon] = ["crun", "conmon"].map(
    (name) => `${name} (not in PATH: install the package ${name})`,
  );
  assert.equal(bare.stderr, `nephos: Cannot start Nephos as this host lacks ${crun}, ${conmon}.\n`);
});

test("a directory of somebody else is neither used nor purged", { skip }, async () => {
  const foreign = mkdtempSync(path.join(tmpdir(), "nephos-foreign-"));
  const file = path.join(foreign, "letter.txt");
  try {
    writeFileSync(file, "dear");
    const ask = async (...args: string[]) => {
      const { code, stdout, stderr } = await outcomeOf(NEPHOS, [...args, "--data-dir", foreign]);
      assert.deepEqual([code, stdout], [1, ""], stderr);
      return stderr;
    };
    const what = /it is no data directory of Nephos, but holds "letter\.txt"; /;
    assert.match(await ask("down", "--purge"), what);
    assert.match(await ask("up", "--detach"), what);
    assert.equal(readFileSync(file, "utf8"), "dear");
    const empty = await outcomeOf(NEPHOS, ["down", "--purge", "--data-dir", ""]);
    assert.equal(empty.code, 2);
    assert.match(empty.stderr, /^nephos: --data-dir must be the path of a directory; .*\n$/);
  } finally {
    rmSync(foreign, { recursive: true });
  }
});

test("without root every command says so in one sentence", { skip }, async () => {
  const { dataDirectory } = instance;
  for (const command of ["up", "down", "status", "kubeconfig", "image list"]) {
    const args = [...NOBODY, NEPHOS, ...command.split(" "), "--data-dir", dataDirectory];
    const { code, stdout, stderr } = await outcomeOf("setpriv", args);
    assert.deepEqual([code, stdout], [1, ""], `${command}: ${stderr}`);
    assert.match(stderr, /^nephos: Cannot [^\n]*: run it as root[^\n]*\n$/, command);
  }
});

test("it all left the instance as it was", { skip }, async () => {
  assert.equal((await instance.nephos("status")).code, 0);
  const errors = readFileSync(path.join(instance.dataDirectory, "nephos.log"), "utf8")
    .split("\n")
    .filter((line) => line.includes('"level":"error"'));
  assert.deepEqual(errors, []);
});
