import type { Pod, Volume } from "./generated/types/core-v1.ts";

/** Names, in the pod's namespace, of what a pod may read through its node. */
export interface PodReferences {
  secrets: Set<string>;
  configMaps: Set<string>;
  claims: Set<string>;
}

function addVolume(volume: Volume, to: PodReferences): void {
  const secretReference = (reference: { name?: string } | undefined) => {
    if (reference?.name) to.secrets.add(reference.name);
  };
  if (volume.secret?.secretName) to.secrets.add(volume.secret.secretName);
  if (volume.configMap?.name) to.configMaps.add(volume.configMap.name);
  if (volume.persistentVolumeClaim) to.claims.add(volume.persistentVolumeClaim.claimName);
  for (const source of volume.projected?.sources ?? []) {
    secretReference(source.secret);
    if (source.configMap?.name) to.configMaps.add(source.configMap.name);
  }
  secretReference(volume.csi?.nodePublishSecretRef);
  secretReference(volume.azureFile && { name: volume.azureFile.secretName });
  secretReference(volume.cephfs?.secretRef);
  secretReference(volume.cinder?.secretRef);
  secretReference(volume.flexVolume?.secretRef);
  secretReference(volume.iscsi?.secretRef);
  secretReference(volume.rbd?.secretRef);
  secretReference(volume.scaleIO?.secretRef);
  secretReference(volume.storageos?.secretRef);
}

/** Everything that the pod's spec refers to by name, in all kinds of containers and volumes. */
export function podReferences(pod: Pod): PodReferences {
  const references: PodReferences = {
    secrets: new Set(),
    configMaps: new Set(),
    claims: new Set(),
  };
  const spec = pod.spec;
  for (const secret of spec?.imagePullSecrets ?? []) {
    if (secret.name) references.secrets.add(secret.name);
  }
  for (const volume of spec?.volumes ?? []) {
    addVolume(volume, references);
    // The claim of a generic ephemeral volume is named after pod and volume.
    if (volume.ephemeral) references.claims.add(`${pod.metadata?.name ?? ""}-${volume.name}`);
  }
  const containers = [
    ...(spec?.initContainers ?? []),
    ...(spec?.containers ?? []),
    ...(spec?.ephemeralContainers ?? []),
  ];
  for (const { env = [], envFrom = [] } of containers) {
    for (const { valueFrom } of env) {
      if (valueFrom?.secretKeyRef?.name) references.secrets.add(valueFrom.secretKeyRef.name);
      if (valueFrom?.configMapKeyRef?.name)
        references.configMaps.add(valueFrom.configMapKeyRef.name);
    }
    for (const { secretRef, configMapRef } of envFrom) {
      if (secretRef?.name) references.secrets.add(secretRef.name);
      if (configMapRef?.name) references.configMaps.add(configMapRef.name);
    }
  }
  return references;
}
