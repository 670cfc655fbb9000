import { diskUsage, type DiskUsage } from "../agent/eviction/disk-usage.ts";
import { ImageError, type LocalImage } from "../agent/image/contract.ts";
import { parseReference } from "../format/oci/reference.ts";
import {
  decodeBasic,
  type KeyringEntry,
  keyringEntry,
  type RegistryCredentials,
} from "../format/oci/registry-credentials.ts";
import type * as cri from "../format/cri/generated.ts";
import type { Outgoing } from "../format/protobuf/message-codec.ts";
import { type CriContext, nanoseconds } from "./cri-context.ts";
import { GrpcError } from "../format/grpc/grpc-status.ts";
import type { Handlers } from "./service-table.ts";

/** ImageService of the Container Runtime Interface. */
export function imageService(context: CriContext): Handlers<cri.ImageServiceMethods> {
  const { images } = context;
  const measured = new Map<string, DiskUsage>();
  return {
    ListImages({ filter }) {
      const reference = filter?.image?.image;
      const only = reference ? images.find(reference) : undefined;
      const found = reference ? (only ? [only] : []) : images.list();
      return { images: found.map(describe) };
    },
    ImageStatus({ image, verbose }) {
      const found = images.find(requireReference(image));
      if (!found) return {};
      const info = { info: JSON.stringify({ config: found.config }) };
      return { image: describe(found), ...(verbose && { info }) };
    },
    async PullImage({ image, auth }) {
      const reference = requireReference(image);
      const keyring = keyringOf(reference, auth);
      try {
        // Who asks has decided already that what is here is not enough.
        const pulled = await images.ensure(reference, "Always", { keyring });
        return { imageRef: pulled.id };
      } catch (error) {
        if (!(error instanceof ImageError)) throw error;
        const code = error.code === "invalid-reference" ? "invalid-argument" : "unknown";
        const isAbsent = error.code === "not-found";
        throw new GrpcError(isAbsent ? "not-found" : code, error.message, { cause: error });
      }
    },
    async RemoveImage({ image }) {
      const reference = requireReference(image);
      try {
        // By its id: all names of it go, as the interface has it.
        await images.remove(images.find(reference)?.id ?? reference);
      } catch (error) {
        if (!(error instanceof ImageError && error.code === "not-found")) throw error;
      }
      return {};
    },
    async ImageFsInfo() {
      const { bytes, inodes } = await usageOf(images.list(), measured);
      const usage = {
        timestamp: nanoseconds(context.clock.now()),
        fsId: { mountpoint: context.imageDirectory },
        usedBytes: { value: bytes },
        inodesUsed: { value: inodes },
      };
      return { imageFilesystems: [usage], containerFilesystems: [usage] };
    },
  };
}

/** What a kubelet says is for the registry of the image, unless it names another one. */
function keyringOf(reference: string, auth: cri.AuthConfig | undefined): KeyringEntry[] {
  const registry = parseReference(reference)?.registry;
  if (!auth || registry === undefined) return [];
  const decoded = auth.auth ? decodeBasic(auth.auth) : undefined;
  const { username, password, identityToken, registryToken, serverAddress } = auth;
  const credentials: RegistryCredentials = {
    ...(username && { username }),
    ...(password && { password }),
    ...decoded,
    ...(identityToken && { identityToken }),
    ...(registryToken && { registryToken }),
  };
  if (Object.keys(credentials).length === 0) return [];
  return [keyringEntry(serverAddress || registry, credentials)];
}

/** @throws GrpcError "invalid-argument" */
function requireReference(image: cri.ImageSpec | undefined): string {
  if (image?.image) return image.image;
  throw new GrpcError("invalid-argument", "no image was named");
}

function describe({
  id,
  references,
  repoDigests = [],
  sizeBytes,
  config,
}: LocalImage): Outgoing<cri.Image> {
  const user = config.user?.split(":")[0] ?? "";
  const isNumber = /^\d+$/.test(user);
  return {
    id,
    repoTags: references,
    repoDigests,
    size: sizeBytes,
    spec: { image: id },
    ...(isNumber ? { uid: { value: Number(user) } } : { username: user }),
  };
}

/** Layers are measured once: they never change. Those that are gone are forgotten. */
async function usageOf(
  images: readonly LocalImage[],
  measured: Map<string, DiskUsage>,
): Promise<DiskUsage> {
  const layers = new Set(images.flatMap(({ layerPaths }) => layerPaths));
  for (const layer of measured.keys()) if (!layers.has(layer)) measured.delete(layer);
  const total: DiskUsage = { bytes: 0, inodes: 0 };
  for (const layer of layers) {
    const usage = measured.get(layer) ?? (await diskUsage(layer));
    measured.set(layer, usage);
    total.bytes += usage.bytes;
    total.inodes += usage.inodes;
  }
  return total;
}
