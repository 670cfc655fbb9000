import type { VolumeAttachment } from "../../api/generated/types/storage-v1.ts";

/** What is attached where, also of pods that are gone already. */
export class Attachments {
  readonly #byNode = new Map<string, Map<string, VolumeAttachment>>();
  readonly #nodes = new Map<string, string>();

  set(name: string, attachment: VolumeAttachment): void {
    const node = attachment.spec.nodeName;
    this.#nodes.set(name, node);
    let there = this.#byNode.get(node);
    if (!there) {
      there = new Map();
      this.#byNode.set(node, there);
    }
    there.set(name, attachment);
  }

  delete(name: string): void {
    const node = this.#nodes.get(name) ?? "";
    this.#nodes.delete(name);
    const there = this.#byNode.get(node);
    there?.delete(name);
    if (there?.size === 0) this.#byNode.delete(node);
  }

  on(node: string): Iterable<VolumeAttachment> {
    return this.#byNode.get(node)?.values() ?? [];
  }
}
