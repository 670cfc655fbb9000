import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { assertId } from "../container-record.ts";
import { RuntimeError } from "../contract.ts";
import type { CriFacts } from "./cri-endpoint.ts";

const CNI_VERSION = "0.4.0";
const PLUGIN = "nephos";
const CONFIGURATION = "10-nephos.conflist";

/**
 * Gives sandboxes of a container runtime the network namespaces that the agent made. A runtime
 * makes its own one and asks CNI for what is to be in it; our plugin mounts the agent's over it, so
 * that addresses, routes, policies and services are as everywhere else.
 */
export interface AdoptedNetworks {
  /** Says in which namespace the sandbox of a pod is to be. @throws RuntimeError */
  offer(podUid: string, network: { namespacePath: string; ip: string | undefined }): void;
  /** Idempotent. */
  withdraw(podUid: string): void;
  /** Takes the plugin away, unless pods of another agent use it. Idempotent. */
  uninstall(): void;
}

/** Installs the plugin where the runtime looks for it, as network add-ons do. */
export function adoptedNetworks({ name, network, stateDirectory }: CriFacts): AdoptedNetworks {
  const { configurations, plugins } = network;
  const offers = path.join(stateDirectory, "nephos-networks");
  const configuration = path.join(configurations, CONFIGURATION);
  const plugin = path.join(plugins, PLUGIN);
  return {
    offer(podUid, { namespacePath, ip }) {
      assertId(podUid);
      const first = firstConfiguration(configurations);
      if (first !== undefined && first < CONFIGURATION) {
        const what = `"${path.join(configurations, first)}" is in charge of the network of pods`;
        throw new RuntimeError("runtime-failed", `${what} of ${name}: remove it`);
      }
      if (!existsSync(path.join(plugins, "loopback"))) {
        const missing = `${name} needs the CNI plugin "loopback" in "${plugins}"`;
        const hint = "install the package containernetworking-plugins";
        throw new RuntimeError("runtime-failed", `${missing}: ${hint}`);
      }
      writeOnce(plugin, { text: pluginScript(offers), mode: 0o755 });
      const list = { cniVersion: CNI_VERSION, name: PLUGIN, plugins: [{ type: PLUGIN }] };
      writeOnce(configuration, { text: `${JSON.stringify(list)}\n`, mode: 0o644 });
      const directory = path.join(offers, podUid);
      rmSync(directory, { recursive: true, force: true });
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      symlinkSync(namespacePath, path.join(directory, "namespace"));
      const address = { version: "4", interface: 0, address: `${ip ?? "127.0.0.1"}/32` };
      const interfaces = [{ name: "eth0", sandbox: namespacePath }];
      const result = { cniVersion: CNI_VERSION, interfaces, ips: [address] };
      writeFileSync(path.join(directory, "result"), JSON.stringify(result));
    },
    withdraw: (podUid) => rmSync(path.join(offers, podUid), { recursive: true, force: true }),
    uninstall() {
      if (existsSync(offers) && readdirSync(offers).length > 0) return;
      for (const file of [configuration, plugin, offers]) {
        rmSync(file, { recursive: true, force: true });
      }
    },
  };
}

/** The runtime takes the first one by name. */
function firstConfiguration(directory: string): string | undefined {
  const names = existsSync(directory) ? readdirSync(directory) : [];
  return names.filter((name) => /\.(conf|conflist|json)$/.test(name)).toSorted()[0];
}

/** A runtime that looks at it meanwhile sees all of it or nothing. */
function writeOnce(file: string, { text, mode }: { text: string; mode: number }): void {
  if (existsSync(file) && readFileSync(file, "utf8") === text) return;
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o755 });
  writeFileSync(`${file}.part`, text, { mode });
  renameSync(`${file}.part`, file);
}

/**
 * A program of CNI. It runs in the mount namespace of the runtime, and a second time for the
 * removal with no namespace at all. Source: github.com/containernetworking/cni, SPEC.md.
 */
function pluginScript(offers: string): string {
  return `#!/bin/sh
# Written by Nephos: gives a pod the network namespace that the node's agent made for it.
fail() {
  printf '{"cniVersion":"${CNI_VERSION}","code":100,"msg":"%s"}' "$1"
  exit 1
}
pod=\${CNI_ARGS##*K8S_POD_UID=}
pod=\${pod%%;*}
offer="${offers}/$pod"
case "$CNI_COMMAND" in
ADD)
  case "$pod" in '' | .* | */*) fail "the pod has no UID" ;; esac
  [ -e "$offer/result" ] || fail "no agent of Nephos offers a network for this pod"
  [ "$(stat -L -f -c %T "$offer/namespace")" = nsfs ] || fail "mounts of the agent are not seen here"
  mount --bind "$offer/namespace" "$CNI_NETNS" 1>&2 || fail "cannot mount the namespace of the pod"
  cat "$offer/result"
  ;;
DEL)
  [ -z "$CNI_NETNS" ] || umount -l "$CNI_NETNS" 1>&2 || true
  ;;
VERSION)
  printf '{"cniVersion":"${CNI_VERSION}","supportedVersions":["0.3.1","${CNI_VERSION}"]}'
  ;;
esac
`;
}
