import { INGRESS_CLASSES, INGRESSES, SECRETS } from "../../api/generated/resources.ts";
import type { Ingress } from "../../api/generated/types/networking-v1.ts";
import { ingressClassOf, isServedClass } from "../../api/ingress-class.ts";
import type { EventRecorder } from "../../client/event-recorder.ts";
import type { InformerFactory } from "../../client/informer.ts";
import { backoffDelayMs } from "../../lib/backoff.ts";
import { Cleanup } from "../../lib/cleanup.ts";
import type { Clock, Timer } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Random } from "../../lib/random.ts";

/** Where Ingresses are served and what the part works with. */
export interface IngressOptions {
  addresses: readonly string[];
  httpPort: number;
  httpsPort: number;
  informers: InformerFactory;
  events: EventRecorder;
  clock: Clock;
  random: Random;
  logger: Logger;
}

const RETRY = { baseMs: 1_000, maxMs: 30_000 };

/**
 * Serves Ingresses of our classes on this node's ports for as long as there are any: who uses none
 * pays neither memory nor ports. A port that belongs to another program is said in the log and in
 * an Event of the Ingress, and tried again.
 */
export function startIngress(options: IngressOptions): AsyncDisposable {
  const { informers, events, clock, logger, httpPort, httpsPort } = options;
  const ingresses = informers.informer(INGRESSES);
  const classes = informers.informer(INGRESS_CLASSES);
  let server: ServedIngresses | undefined;
  let retry: Timer | undefined;
  let failures = 0;
  let isClosed = false;
  let isStarted = false;
  let isScheduled = false;
  let work: Promise<void> = Promise.resolve();

  const served = () =>
    ingresses.list().filter((ingress) => {
      const name = ingressClassOf(ingress);
      return name !== undefined && isServedClass(classes.get(undefined, name));
    });
  const adjust = async () => {
    isScheduled = false;
    const ours = isClosed ? [] : served();
    if (ours.length > 0 && server) return server.use(ours);
    if (ours.length === 0) {
      const running = server;
      server = undefined;
      await running?.[Symbol.asyncDispose]();
      return;
    }
    retry?.cancel();
    try {
      server = await serve(options, ours);
      failures = 0;
      logger.info("Ingresses are served", { httpPort, httpsPort });
    } catch (error) {
      const delayMs = backoffDelayMs(RETRY, ++failures);
      retry = clock.setTimer(delayMs, schedule);
      logger.error("Ingresses cannot be served", { httpPort, httpsPort, error, delayMs });
      const why = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
      const inUse = `another program has port ${httpPort} or ${httpsPort} of the node`;
      const message = `Cannot serve: ${why === "EADDRINUSE" ? inUse : why}; stop it, or start Nephos with other ports (--ingress HTTP,HTTPS) or without (--ingress none)`;
      const [about] = ours;
      if (about)
        events.record({ about: typed(about), type: "Warning", reason: "PortsTaken", message });
    }
  };
  /** Changes of one turn of the event loop are looked at together, one look after the other. */
  const schedule = () => {
    if (isScheduled || !isStarted) return;
    isScheduled = true;
    work = work.then(adjust);
  };
  const subscriptions = [ingresses.onChange(schedule), classes.onChange(schedule)];
  void Promise.all([ingresses.synced, classes.synced]).then(() => {
    isStarted = true;
    schedule();
  });

  return {
    async [Symbol.asyncDispose]() {
      isClosed = true;
      retry?.cancel();
      for (const subscription of subscriptions) subscription[Symbol.dispose]();
      work = work.then(adjust);
      await work;
      ingresses[Symbol.dispose]();
      classes[Symbol.dispose]();
    },
  };
}

interface ServedIngresses extends AsyncDisposable {
  use(ingresses: readonly Ingress[]): void;
}

/** Loaded late, so that clusters without Ingress do not carry it. */
async function serve(options: IngressOptions, first: readonly Ingress[]): Promise<ServedIngresses> {
  const [{ startIngressServer }, { createBackends }, { createCertificates }, tls, table, signing] =
    await Promise.all([
      import("./ingress-server.ts"),
      import("./backends.ts"),
      import("./certificates.ts"),
      import("./backend-tls.ts"),
      import("./route-table.ts"),
      import("./self-signed.ts"),
    ]);
  await using cleanup = new Cleanup();
  const { informers, logger } = options;
  const backends = cleanup.use(createBackends(informers));
  const secrets = cleanup.use(
    informers.informer(SECRETS, { fieldSelector: "type=kubernetes.io/tls" }),
  );
  const certificates = createCertificates(secrets, logger);
  const trust = tls.createBackendTrust(secrets, logger);
  let routes = table.compileRoutes([]);
  const use = (ingresses: readonly Ingress[]) => {
    routes = table.compileRoutes(ingresses);
    certificates.use(ingresses.toSorted(table.compareAge));
  };
  use(first);
  await Promise.all([backends.synced, secrets.synced]);
  cleanup.use(
    await startIngressServer({
      ...options,
      source: {
        routeOf: (host, path) => routes.routeOf(host, path),
        endpointsOf: (backend) => trust.apply(backends.endpointsOf(backend), backend.tls),
        certificateOf: (name) => certificates.contextOf(name),
      },
      defaultCertificate: signing.selfSigned("ingress.nephos.local", options),
    }),
  );
  const owned = cleanup.move();
  return { use, [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() };
}

function typed(ingress: Ingress): Ingress {
  return { ...ingress, apiVersion: "networking.k8s.io/v1", kind: "Ingress" };
}
