import { isDeepStrictEqual } from "node:util";
import { CONFIG_MAPS, SECRETS } from "../../api/generated/resources.ts";
import type { Pod, Volume } from "../../api/generated/types/core-v1.ts";
import type { Resource } from "../../api/resource.ts";
import type { Client } from "../../client/client.ts";
import type { InformerFactory } from "../../client/informer.ts";
import type { Clock } from "../../lib/clock.ts";
import type { DownwardFacts } from "../field-reference.ts";
import { type FollowedObject, followObject } from "../followed-object.ts";
import { writeAtomically } from "./atomic-directory.ts";
import { payloadOf, projectionsOf, referencesOf } from "./payload.ts";
import { keepToken, type TokenSource } from "./token-source.ts";

/** What a volume that the agent writes needs from outside. */
export interface LiveVolumeContext {
  client: Client;
  informers: InformerFactory;
  clock: Clock;
  facts: DownwardFacts;
}

/** A volume whose files follow the objects that it is made from. */
export interface LiveVolume extends Disposable {
  /** Writes the files as they must be now. @throws VolumeError */
  write(): Promise<void>;
  /** The pod changed. True when its labels or annotations did and are among the files. */
  setPod(pod: Pod): boolean;
}

/** Starts to follow everything that `volume` reads; `onChange` asks for another `write`. */
export function followVolume(
  context: LiveVolumeContext,
  request: { pod: Pod; volume: Volume; directory: string; onChange: () => void },
): LiveVolume {
  const { volume, directory, onChange } = request;
  const { client, informers, clock, facts } = context;
  let pod = request.pod;
  const namespace = pod.metadata?.namespace ?? "";
  const projections = projectionsOf(volume) ?? [];
  const references = referencesOf(projections);
  const follow = <T>(resource: Resource<T>, name: string): FollowedObject<T> =>
    followObject(informers, { resource, namespace, name, onChange });
  const configMaps = new Map(
    references.configMaps.map((name) => [name, follow(CONFIG_MAPS, name)]),
  );
  const secrets = new Map(references.secrets.map((name) => [name, follow(SECRETS, name)]));
  const tokens = new Map<number, TokenSource>();
  const followed = [...configMaps.values(), ...secrets.values()];

  const ensureTokens = () =>
    projections.map(async ({ serviceAccountToken: projection }, index) => {
      if (!projection) return;
      const source = tokens.get(index) ?? keepToken({ client, clock, pod, projection, onChange });
      tokens.set(index, source);
      try {
        await source.first;
      } catch (error) {
        tokens.delete(index); // the next write asks again
        throw error;
      }
    });

  return {
    async write() {
      await Promise.all([...followed.map(({ known }) => known), ...ensureTokens()]);
      const files = payloadOf(volume, {
        pod,
        facts,
        configMap: (name) => configMaps.get(name)?.value,
        secret: (name) => secrets.get(name)?.value,
        token: (index) => tokens.get(index)?.value ?? "",
      });
      writeAtomically(directory, files, { groupId: pod.spec?.securityContext?.fsGroup });
    },
    setPod(changed) {
      const before = pod.metadata;
      pod = changed;
      if (!projections.some(({ downwardAPI }) => downwardAPI)) return false;
      const { labels, annotations } = changed.metadata ?? {};
      return !(
        isDeepStrictEqual(labels, before?.labels) &&
        isDeepStrictEqual(annotations, before?.annotations)
      );
    },
    [Symbol.dispose]() {
      for (const one of [...followed, ...tokens.values()]) one[Symbol.dispose]();
    },
  };
}
