import { PERSISTENT_VOLUMES, PODS, VOLUME_ATTACHMENTS } from "../../api/generated/resources.ts";
import type { PersistentVolume, Pod } from "../../api/generated/types/core-v1.ts";
import { podReferences } from "../../api/pod-references.ts";
import type { ObjectReader } from "../contract.ts";

const LOCAL_DRIVER = "local.nephos.dev";
const MIRROR = "kubernetes.io/config.mirror";

/** An object that a node asks for. */
export interface NodeTarget {
  node: string;
  /** "" for kinds without one. */
  namespace: string;
  name: string;
}

/** Which objects have to do with a node, because of the pods that are bound to it. */
export interface NodeRelations {
  pod(of: NodeTarget): boolean;
  secret(of: NodeTarget): boolean;
  configMap(of: NodeTarget): boolean;
  claim(of: NodeTarget): boolean;
  volume(of: NodeTarget): boolean;
  /** A volume that is a directory of the node. */
  localVolume(of: NodeTarget): boolean;
  attachment(of: NodeTarget): boolean;
  serviceAccount(of: NodeTarget): boolean;
  resourceClaim(of: NodeTarget): boolean;
}

/** Answers from the objects in memory. A mirror pod, which the node made itself, brings nothing. */
export function createNodeRelations(reader: ObjectReader): NodeRelations {
  const hasPod = ({ node, namespace }: NodeTarget, test: (pod: Pod) => boolean) =>
    reader
      .list(PODS, namespace)
      .some(
        (pod) =>
          pod.spec?.nodeName === node &&
          pod.metadata?.annotations?.[MIRROR] === undefined &&
          test(pod),
      );
  const claim = (of: NodeTarget) => hasPod(of, (pod) => podReferences(pod).claims.has(of.name));
  const isClaimedBy = (node: string, { spec }: PersistentVolume): boolean => {
    const { namespace, name } = spec?.claimRef ?? {};
    return Boolean(namespace && name && claim({ node, namespace, name }));
  };
  const volumeOf = ({ name }: NodeTarget) =>
    reader.get(PERSISTENT_VOLUMES, { namespace: "", name });

  return {
    claim,
    pod: ({ node, namespace, name }) =>
      reader.get(PODS, { namespace, name })?.spec?.nodeName === node,
    secret: (of) =>
      hasPod(of, (pod) => podReferences(pod).secrets.has(of.name)) ||
      reader
        .list(PERSISTENT_VOLUMES)
        .some((volume) => isSecretOf(volume, of) && isClaimedBy(of.node, volume)),
    configMap: (of) => hasPod(of, (pod) => podReferences(pod).configMaps.has(of.name)),
    volume(of) {
      const volume = volumeOf(of);
      return volume !== undefined && isClaimedBy(of.node, volume);
    },
    localVolume: (of) => isLocalTo(of.node, volumeOf(of)),
    attachment: ({ node, name }) =>
      reader.get(VOLUME_ATTACHMENTS, { namespace: "", name })?.spec.nodeName === node,
    serviceAccount: (of) => hasPod(of, (pod) => pod.spec?.serviceAccountName === of.name),
    resourceClaim: (of) => hasPod(of, (pod) => resourceClaimsOf(pod).includes(of.name)),
  };
}

function isLocalTo(node: string, volume: PersistentVolume | undefined): boolean {
  const terms = volume?.spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  const hosts = terms.flatMap(({ matchExpressions = [] }) => matchExpressions);
  return (
    volume?.spec?.csi?.driver === LOCAL_DRIVER &&
    hosts.some(({ key, values = [] }) => key === "kubernetes.io/hostname" && values.includes(node))
  );
}

/** Whether a node needs the Secret to mount the volume; that of an attacher is not meant. */
function isSecretOf({ spec = {} }: PersistentVolume, of: NodeTarget): boolean {
  const { csi, flexVolume, iscsi, rbd, cephfs, scaleIO, storageos, azureFile } = spec;
  const references = [
    csi?.nodePublishSecretRef,
    csi?.nodeStageSecretRef,
    csi?.nodeExpandSecretRef,
    flexVolume?.secretRef,
    iscsi?.secretRef,
    rbd?.secretRef,
    cephfs?.secretRef,
    scaleIO?.secretRef,
    storageos?.secretRef,
    azureFile && {
      name: azureFile.secretName,
      ...(azureFile.secretNamespace ? { namespace: azureFile.secretNamespace } : {}),
    },
  ];
  return references.some((reference) => {
    if (reference?.name !== of.name) return false;
    return (reference.namespace ?? spec.claimRef?.namespace) === of.namespace;
  });
}

/** Named by the pod, or made for it from a template. */
function resourceClaimsOf({ spec, status }: Pod): string[] {
  return (spec?.resourceClaims ?? []).flatMap(({ name, resourceClaimName }) => {
    const made = status?.resourceClaimStatuses?.find((one) => one.name === name);
    return resourceClaimName ?? made?.resourceClaimName ?? [];
  });
}
