import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "../../lib/logger.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { createAddressPool } from "./address-pool.ts";
import { createSpareLinks } from "./spare-links.ts";

function spareLinks({ max, cidr = "10.231.0.0/24" }: { max: number; cidr?: string }) {
  const clock = new VirtualClock();
  const pool = createAddressPool(cidr);
  const open = new Set<string>();
  const make = (ip: string) => {
    open.add(ip);
    const adopt = () => {};
    return { ip, name: `link-${ip}`, adopt, [Symbol.dispose]: () => void open.delete(ip) };
  };
  const spares = createSpareLinks({ pool, make, ahead: { clock, max }, logger: silentLogger });
  return { clock, pool, open, spares };
}

test("links are made ahead once the node knows its pods, and only while none comes", async () => {
  const { clock, open, spares } = spareLinks({ max: 4 });
  await clock.advance(60_000);
  assert.equal(open.size, 0, "an address could be that of a pod that was there before");
  spares.begin();
  for (let i = 0; i < 20; i++) {
    spares.podComes();
    await clock.advance(100);
  }
  assert.equal(open.size, 0, "pods come all the time");
  await clock.advance(60_000);
  assert.equal(open.size, 4);
  assert.equal(spares.take()?.ip, "10.231.0.2");
  spares.podComes();
  await clock.advance(60_000);
  assert.deepEqual([...open].slice(1), ["10.231.0.3", "10.231.0.4", "10.231.0.5", "10.231.0.6"]);
});

test("a pod that comes alone is followed by one more link, pods together by none", () => {
  const { open, spares } = spareLinks({ max: 4 });
  spares.podComes();
  spares.prepareNext(true);
  assert.equal(open.size, 1);
  spares.prepareNext(true);
  assert.equal(open.size, 1, "no pod came since");
  spares.podComes();
  spares.podComes();
  spares.prepareNext(true);
  assert.equal(open.size, 1);
  spares.podComes();
  spares.prepareNext(false);
  assert.equal(open.size, 1, "others wait for their start");
});

test("no links are made ahead while pods start that came long ago", async () => {
  const { clock, open, spares } = spareLinks({ max: 4 });
  spares.begin();
  for (let i = 0; i < 20; i++) {
    spares.prepareNext(false);
    await clock.advance(400);
  }
  assert.equal(open.size, 0);
  await clock.advance(60_000);
  assert.equal(open.size, 4);
});

test("what waits for pods takes no more addresses than there are, and gives them back", async () => {
  const { clock, pool, open, spares } = spareLinks({ max: 32, cidr: "10.231.0.0/29" });
  spares.begin();
  await clock.advance(60_000);
  assert.equal(open.size, 5);
  assert.throws(() => pool.allocate("pod"), RangeError);
  const taken = spares.take();
  assert.equal(pool.allocate("pod"), taken?.ip);
  spares[Symbol.dispose]();
  await clock.advance(60_000);
  assert.deepEqual([...open], [taken?.ip], "those that nobody took are closed");
  assert.equal(spares.take(), undefined);
});
