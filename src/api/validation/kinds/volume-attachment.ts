import { deepEqual } from "../../../lib/deep-equal.ts";
import { dns1123SubdomainErrors } from "../../../lib/names.ts";
import type { VolumeAttachment, VolumeAttachmentSpec } from "../../generated/types/storage-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import type { KindRules } from "../kind-rules.ts";
import { validateDriverName } from "../volume-sources.ts";
import { validateInlineVolumeSpec } from "./persistent-volume.ts";

const METADATA_MAX = 256 * 1024;
/** How long the message of an error may be; a refusal names the other limit. */
const MESSAGE_MAX = 1024;

export const VOLUME_ATTACHMENT: KindRules<VolumeAttachment> = {
  validate(errors, attachment) {
    const { spec } = attachment;
    errors.present("spec.attacher", spec?.attacher);
    validateSource(errors, spec?.source ?? {});
    const node = spec?.nodeName ?? "";
    errors.complaints("spec.nodeName", node, dns1123SubdomainErrors(node));
    validateStatus(errors, attachment);
  },
  validateCreate(errors, { spec }) {
    validateDriverName(errors, "spec.attacher", spec?.attacher ?? "");
    const name = spec?.source?.persistentVolumeName;
    if (name === undefined) return;
    errors.complaints("spec.source.persistentVolumeName", name, dns1123SubdomainErrors(name));
  },
  validateUpdate(errors, { spec }, old) {
    if (!deepEqual(spec, old.spec)) errors.invalid("spec", spec, "field is immutable");
  },
  subresources: { status: validateStatus },
};

function validateSource(errors: FieldErrors, source: VolumeAttachmentSpec["source"]): void {
  const { persistentVolumeName: name, inlineVolumeSpec: inline } = source;
  const detail = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
  if (!inline && name === undefined) errors.required("spec.source", detail);
  else if (inline && name !== undefined) errors.forbidden("spec.source", detail);
  else if (inline) validateInlineVolumeSpec(errors, "spec.source.inlineVolumeSpec", inline);
  else if (name === "") {
    const field = "spec.source.persistentVolumeName";
    errors.required(field, "must specify non empty persistentVolumeName");
  }
}

function validateStatus(errors: FieldErrors, { status }: VolumeAttachment): void {
  const pairs = Object.entries(status?.attachmentMetadata ?? {});
  const size = pairs.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  if (size > METADATA_MAX) errors.tooLong("status.attachmentMetadata", METADATA_MAX);
  for (const name of ["attachError", "detachError"] as const) {
    const message = status?.[name]?.message ?? "";
    if (message.length > MESSAGE_MAX) errors.tooLong(`status.${name}.message`, METADATA_MAX);
  }
}
