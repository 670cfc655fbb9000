import assert from "node:assert/strict";
import { test } from "node:test";
import { GrpcError } from "../../format/grpc/grpc-status.ts";
import { silentLogger } from "../../lib/logger.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import type { CriClient } from "../cri-client.ts";
import { createCriImageStore } from "./cri-image-store.ts";

interface FakeImage {
  id: string;
  repoTags: string[];
  repoDigests: string[];
}

const ID = (digit: string) => `sha256:${digit.repeat(64)}`;
const REDIS: FakeImage = { id: ID("1"), repoTags: ["docker.io/library/redis:7"], repoDigests: [] };
const PAUSE: FakeImage = { id: ID("2"), repoTags: ["pause.example/pause:3"], repoDigests: [] };
const PULLED: FakeImage = {
  id: ID("3"),
  repoTags: ["docker.io/library/nginx:latest"],
  repoDigests: [`docker.io/library/nginx@${ID("4")}`],
};

/** A runtime with images; "nginx" can be pulled by user "me". */
function fakeRuntime() {
  const images: FakeImage[] = [REDIS, PAUSE];
  const users: string[] = [];
  const config = { Entrypoint: ["serve"], Env: ["A=b"], User: "33", StopSignal: "SIGQUIT" };
  const named = (name: string) =>
    images.find(({ id, repoTags }) => id === name || repoTags.includes(name));
  type Request = { image?: { image: string }; auth?: { username: string } };
  const answers: Record<string, (request: Request) => object> = {
    ListImages: () => ({ images: images.map((image) => ({ ...image, size: 5 })) }),
    ImageStatus({ image }) {
      const found = named(image?.image ?? "");
      const info = { info: JSON.stringify({ imageSpec: { config } }) };
      return { ...(found && { image: { ...found, size: 5 } }), info };
    },
    PullImage({ auth }) {
      users.push(auth?.username ?? "nobody");
      if (auth?.username !== "me") throw new GrpcError("unknown", "401 unauthorized");
      images.push(PULLED);
      return { imageRef: PULLED.id };
    },
    RemoveImage({ image }) {
      images.splice(images.indexOf(named(image?.image ?? "") ?? REDIS), 1);
      return {};
    },
  };
  const client = {
    async call(method: string, request: Request) {
      await Promise.resolve();
      return answers[method.split("/")[1] ?? ""]?.(request) as never;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  } as CriClient;
  return { client, users, images };
}

async function openStore() {
  const runtime = fakeRuntime();
  const clock = new VirtualClock();
  const sandboxImage = PAUSE.repoTags[0];
  const { client } = runtime;
  const store = await createCriImageStore({ client, sandboxImage, clock, logger: silentLogger });
  return { ...runtime, clock, store };
}

test("images are found by their names and IDs, with what they say about how to run", async () => {
  using store = (await openStore()).store;
  const found = store.find("redis:7");
  assert.equal(found?.id, REDIS.id);
  assert.deepEqual(found.config, {
    entrypoint: ["serve"],
    environment: ["A=b"],
    user: "33",
    stopSignal: "SIGQUIT",
  });
  assert.equal(store.find(REDIS.id)?.id, REDIS.id);
  assert.equal(store.find("redis:8"), undefined);
  assert.deepEqual(
    [store.wouldPull("redis:7", "IfNotPresent"), store.wouldPull("x", "Never")],
    [false, false],
  );
  assert.deepEqual(
    [store.wouldPull("redis:7", "Always"), store.wouldPull("x", "IfNotPresent")],
    [true, true],
  );
});

test("what every sandbox is made of is not offered for removal", async () => {
  using store = (await openStore()).store;
  assert.deepEqual(
    store.list().map(({ id }) => id),
    [REDIS.id],
  );
  assert.equal(store.find("pause.example/pause:3")?.id, PAUSE.id);
});

test("a pull tries what is known of the registry, and says where else an image may be", async () => {
  const { store, users } = await openStore();
  using _store = store;
  const entry = (username: string, pattern: string) => ({
    pattern,
    credentials: { username, password: "secret" },
  });
  const wrong = [entry("you", "index.docker.io")];
  await assert.rejects(store.ensure("nginx", "IfNotPresent", { keyring: wrong }), {
    code: "pull-failed",
    message: /401 unauthorized.*"nephos image import"/,
  });
  const keyring = [entry("you", "index.docker.io/library"), entry("me", "index.docker.io")];
  const pulled = await store.ensure("nginx", "IfNotPresent", { keyring });
  assert.deepEqual(pulled.repoDigests, PULLED.repoDigests);
  assert.deepEqual(users, ["you", "you", "me"]);
  assert.equal(store.find("nginx")?.id, PULLED.id);
  await assert.rejects(store.ensure("absent", "Never"), { code: "not-found" });
  await assert.rejects(store.ensure("UPPER CASE", "Never"), { code: "invalid-reference" });
});

test("what others bring and take is seen after a while", async () => {
  const { store, images, clock } = await openStore();
  using _store = store;
  let changes = 0;
  const changed = new Promise<void>((resolve) => {
    store.onChange(() => {
      changes++;
      resolve();
    });
  });
  images.push(PULLED);
  await clock.advance(10_000);
  await changed;
  assert.equal(changes, 1);
  assert.equal(store.find("nginx")?.id, PULLED.id);
  await store.remove("nginx");
  assert.equal(store.find("nginx"), undefined);
});
