/** What a cluster of one size costs. */
export interface ScalePoint {
  nodes: number;
  pods: number;
  /** Proportional set size of the control plane. */
  pssMiB: number;
  /** From the request that creates a pod to its binding, as a watch shows it. */
  boundP50Ms: number;
  boundP99Ms: number;
  /** CPU time of the process per such pod: what the machine's other work does not change. */
  cpuMs: number;
}

const WIDTH = 720;
const HEIGHT = 320;
const LEFT = 60;
const RIGHT = 60;
const TOP = 40;
const BOTTOM = 60;
const STEPS = 4;

interface Line {
  name: string;
  colour: string;
  valueOf: (point: ScalePoint) => number;
}

/** A chart of memory (left axis) and latency (right axis) over the number of pods, as SVG. */
export function drawScale(points: readonly ScalePoint[]): string {
  const memory: Line[] = [
    { name: "memory (PSS), MiB", colour: "#1f6feb", valueOf: ({ pssMiB }) => pssMiB },
  ];
  const latency: Line[] = [
    { name: "bound after, p50, ms", colour: "#2da44e", valueOf: ({ boundP50Ms }) => boundP50Ms },
    { name: "CPU per pod, ms", colour: "#bf8700", valueOf: ({ cpuMs }) => cpuMs },
  ];
  const podsMax = Math.max(...points.map(({ pods }) => pods));
  const xOf = ({ pods }: ScalePoint) => LEFT + ((WIDTH - LEFT - RIGHT) * pods) / podsMax;
  const memoryMax = ceiling(points, memory);
  const latencyMax = ceiling(points, latency);
  const yOf = (value: number, max: number) =>
    HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * value) / max;
  const parts = [
    ...grid({ memoryMax, latencyMax, yOf }),
    ...points.map((point) =>
      text(`${point.pods / 1_000}k`, { x: xOf(point), y: HEIGHT - BOTTOM + 18 }),
    ),
    text("pods, on a tenth as many nodes", { x: WIDTH / 2, y: HEIGHT - 10 }),
  ];
  const lines = [
    ...memory.map((line) => ({ line, max: memoryMax })),
    ...latency.map((line) => ({ line, max: latencyMax })),
  ];
  for (const [at, { line, max }] of lines.entries()) {
    const path = points.map(
      (one) => `${xOf(one).toFixed(1)},${yOf(line.valueOf(one), max).toFixed(1)}`,
    );
    parts.push(
      `<polyline fill="none" stroke="${line.colour}" stroke-width="2" points="${path.join(" ")}"/>`,
      ...path.map((place) => {
        const [x, y] = place.split(",");
        return `<circle cx="${x}" cy="${y}" r="3" fill="${line.colour}"/>`;
      }),
      text(line.name, { x: LEFT + 90 + at * 200, y: 20, colour: line.colour }),
    );
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="#ffffff"/>\n${parts.join("\n")}\n</svg>\n`;
}

function grid(of: {
  memoryMax: number;
  latencyMax: number;
  yOf: (value: number, max: number) => number;
}): string[] {
  const { memoryMax, latencyMax, yOf } = of;
  return Array.from({ length: STEPS + 1 }, (_, step) => {
    const y = yOf(step, STEPS);
    return [
      `<line x1="${LEFT}" y1="${y}" x2="${WIDTH - RIGHT}" y2="${y}" stroke="#d0d7de"/>`,
      text(`${(memoryMax * step) / STEPS}`, { x: LEFT - 25, y: y + 4 }),
      text(`${(latencyMax * step) / STEPS}`, { x: WIDTH - RIGHT + 25, y: y + 4 }),
    ].join("\n");
  });
}

/** A round number that no value exceeds. */
function ceiling(points: readonly ScalePoint[], lines: readonly Line[]): number {
  const most = Math.max(...lines.flatMap(({ valueOf }) => points.map(valueOf)), 1);
  const unit = 10 ** Math.floor(Math.log10(most));
  return Math.ceil(most / unit) * unit;
}

function text(content: string, of: { x: number; y: number; colour?: string }): string {
  const { x, y, colour = "#57606a" } = of;
  return `<text x="${x.toFixed(1)}" y="${y}" text-anchor="middle" fill="${colour}">${content}</text>`;
}
