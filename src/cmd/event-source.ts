/** Controllers whose events upstream signs with a name that their own does not tell. */
const SIGNED_OTHERWISE: Readonly<Record<string, string>> = {
  disruption: "controllermanager",
  "horizontal-pod-autoscaler": "horizontal-pod-autoscaler",
  "node-lifecycle": "node-controller",
  "persistentvolume-binder": "persistentvolume-controller",
  "taint-eviction": "taint-eviction-controller",
};

/** Who the events of a controller come from: `describe` shows it, alerts select by it. */
export function eventSourceOf(controller: string): string {
  return SIGNED_OTHERWISE[controller] ?? `${controller.replaceAll("-", "")}-controller`;
}
