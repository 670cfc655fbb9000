/** Which layer may import which: the architecture as data. `docs/ARCHITECTURE.md` embeds it. */
export const LAYERS: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  format: ["lib"],
  api: ["lib", "format"],
  sys: ["lib", "format"],
  store: ["lib", "format"],
  client: ["lib", "format", "api"],
  apiserver: ["lib", "format", "api", "store"],
  controllers: ["lib", "format", "api", "client"],
  scheduler: ["lib", "format", "api", "client"],
  agent: ["lib", "format", "api", "client", "sys"],
  proxy: ["lib", "format", "api", "client", "sys"],
  sim: ["lib", "format", "api", "store", "client", "apiserver", "controllers", "scheduler"],
  cri: ["lib", "format", "api", "sys", "agent"],
  cmd: [
    "lib",
    "format",
    "api",
    "sys",
    "store",
    "client",
    "apiserver",
    "controllers",
    "scheduler",
    "agent",
    "cri",
    "proxy",
    "sim",
  ],
};

/** Layers whose capability folders see a sibling only through its `contract.ts`. */
export const SIBLING_LAYERS: readonly string[] = ["controllers", "agent", "proxy"];

/** Layers that may import `node:` modules at all; `lib` may not. */
export const NODE_FREE_LAYERS: readonly string[] = ["lib"];
