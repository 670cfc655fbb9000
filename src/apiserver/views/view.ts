import type { KubeObject } from "../kube-object.ts";

/** A second form of objects that are stored in the form of another group or version. */
export interface View {
  /** Name in the store. */
  storage: string;
  /** `apiVersion` of what is stored. */
  storedAs: string;
  /** Both give a new object and leave theirs alone. */
  fromStored(stored: KubeObject): KubeObject;
  toStored(object: KubeObject): KubeObject;
}
