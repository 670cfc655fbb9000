import type { Volume } from "../generated/types/core-v1.ts";

/** A file of a volume and what it is of, "" where all are of one thing. */
interface PathOf {
  path: string;
  of: string;
}

/** Files of a volume that stand in each other's place, or in a file as if it were a folder. */
export function pathWarnings(volumes: readonly Volume[]): string[] {
  return volumes.flatMap((volume) => {
    const { configMap, secret, downwardAPI } = volume;
    const warn = (what: string, paths: readonly PathOf[]) =>
      overlaps(paths).map(
        (text) => `volume "${volume.name}" (${what}): overlapping paths: ${text}`,
      );
    return [
      ...warn(`ConfigMap ${JSON.stringify(configMap?.name ?? "")}`, pathsOf(configMap?.items)),
      ...warn(`Secret ${JSON.stringify(secret?.secretName ?? "")}`, pathsOf(secret?.items)),
      ...warn("DownwardAPI", pathsOf(downwardAPI?.items)),
      ...emptySources(volume),
      ...warn("Projected", projectedPaths(volume)),
    ];
  });
}

/** Of what is not valid yet, a path may be missing. */
function pathsOf(items: readonly { path?: string }[] = [], of = ""): PathOf[] {
  return items.map(({ path = "" }) => ({ path: path.replace(/\/+$/, ""), of }));
}

function emptySources({ name, projected }: Volume): string[] {
  const empty = (projected?.sources ?? []).filter((source) => Object.keys(source).length === 0);
  return empty.map(() => `volume "${name}" (Projected) has no sources provided`);
}

function projectedPaths({ projected }: Volume): PathOf[] {
  return (projected?.sources ?? []).flatMap((source) => {
    const { configMap, secret, downwardAPI, serviceAccountToken: token } = source;
    if (configMap?.items) {
      return pathsOf(configMap.items, `ConfigMap ${JSON.stringify(configMap.name ?? "")}`);
    }
    if (secret?.items) return pathsOf(secret.items, `Secret ${JSON.stringify(secret.name ?? "")}`);
    if (downwardAPI?.items) return pathsOf(downwardAPI.items, "DownwardAPI");
    return token ? pathsOf([token], "ServiceAccountToken") : [];
  });
}

function overlaps(paths: readonly PathOf[]): string[] {
  const text = ({ path, of }: PathOf) => `${JSON.stringify(path)}${of && ` (${of})`}`;
  const within = (a: PathOf, b: PathOf) => `${a.path}/`.startsWith(`${b.path}/`);
  return paths.flatMap((one, at) => {
    if (one.path === "") return [];
    const earlier = paths.slice(0, at).filter(({ path }) => path !== "");
    const found = earlier.filter((other) => within(one, other) || within(other, one));
    return found.map((other) => `${text(one)} with ${text(other)}`);
  });
}
