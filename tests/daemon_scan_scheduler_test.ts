import { assert, assertEquals, assertRejects } from "@std/assert";
import { ScanScheduler } from "../daemon/scan/scan_scheduler.ts";
import { within } from "./_daemon.ts";

/** A scan that ends when told to. */
function heldScan(): { scan: () => Promise<void>; count: () => number; end: () => void } {
  const scans: PromiseWithResolvers<void>[] = [];
  let ended = 0;
  return {
    scan: () => {
      const held = Promise.withResolvers<void>();
      scans.push(held);
      return held.promise;
    },
    count: () => scans.length,
    end: () => scans[ended++]?.resolve(),
  };
}

Deno.test("ScanScheduler scans at once when first asked", async () => {
  const { scan, count, end } = heldScan();
  const scheduler = new ScanScheduler(scan);
  const asked = scheduler.request();
  assertEquals(count(), 1);
  end();
  await asked;
  await scheduler.close();
});

Deno.test("ScanScheduler makes one more scan of all that is asked during one", async () => {
  const { scan, count, end } = heldScan();
  const scheduler = new ScanScheduler(scan);
  const first = scheduler.request();
  const later = [scheduler.request(), scheduler.request(), scheduler.request()];
  assertEquals(count(), 1);
  end();
  await first;
  // A scan that began before the request does not answer it.
  let answered = false;
  void later[0]?.then(() => answered = true);
  while (count() < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(answered, false);
  end();
  await Promise.all(later);
  await scheduler.close();
  assertEquals(count(), 2);
});

Deno.test("ScanScheduler rests for as long as a scan took", async () => {
  const began: number[] = [];
  const scheduler = new ScanScheduler(() => {
    began.push(performance.now());
    return new Promise((resolve) => setTimeout(resolve, 60));
  });
  await scheduler.request();
  await scheduler.request();
  await scheduler.close();
  const [first = 0, second = 0] = began;
  assert(second - first >= 110, `${second - first} ms from scan to scan`);
});

Deno.test("ScanScheduler ends a burst of requests in few scans", async () => {
  let scans = 0;
  const scheduler = new ScanScheduler(() => {
    scans++;
    return new Promise((resolve) => setTimeout(resolve, 5));
  });
  for (let burst = 0; burst < 100; burst++) {
    for (let hint = 0; hint < 100; hint++) void scheduler.request();
    await Promise.resolve();
  }
  await scheduler.request();
  await scheduler.close();
  assert(scans <= 3, `${scans} scans`);
});

Deno.test("ScanScheduler goes on after a scan that failed, and tells who asked", async () => {
  let scans = 0;
  const scheduler = new ScanScheduler(() =>
    scans++ === 0 ? Promise.reject(new Error("unlisted")) : Promise.resolve()
  );
  await assertRejects(() => scheduler.request(), Error, "unlisted");
  await scheduler.request();
  await scheduler.close();
  assertEquals(scans, 2);
});

Deno.test("ScanScheduler lets the running scan end at its close, and begins no other", async () => {
  const { scan, count, end } = heldScan();
  const scheduler = new ScanScheduler(scan);
  const first = scheduler.request();
  const second = scheduler.request();
  let closed = false;
  const closing = scheduler.close().then(() => closed = true);
  await Promise.resolve();
  assertEquals(closed, false);
  end();
  await Promise.all([first, second, closing]);
  await scheduler.request();
  await scheduler.close();
  assertEquals(count(), 1);
});

Deno.test("ScanScheduler does not rest at its close", async () => {
  const scheduler = new ScanScheduler(() => Promise.resolve(), 60_000);
  await scheduler.request();
  await scheduler.close();
});

Deno.test("ScanScheduler lets another scan follow by itself where one says so", async () => {
  const followed = Promise.withResolvers<void>();
  let scans = 0;
  const scheduler = new ScanScheduler(() => {
    if (++scans === 2) followed.resolve();
    return Promise.resolve(scans === 1);
  });
  await scheduler.request();
  assertEquals(scans, 1);
  await within(10_000, "another scan", followed.promise);
  await scheduler.close();
  assertEquals(scans, 2);
});

Deno.test("ScanScheduler lets nothing follow after its close", async () => {
  const scheduler = new ScanScheduler(() => Promise.resolve(true));
  await scheduler.request();
  await scheduler.close();
});
