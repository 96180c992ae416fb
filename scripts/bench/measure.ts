// What is measured at a door: the time a message needs there and back, and how much fits through.

import type { Door } from './doors.ts';

const MESSAGE_BYTES = 200;
const ROUND_TRIPS = 3_000;
const CHUNK_BYTES = 64 * 1024;
const BULK_BYTES = 96 * 1024 * 1024;
const BURST_MESSAGES = 50_000;

/** Round-trip times of small messages, one after the other, in milliseconds, sorted. */
export async function roundTrips(door: Door): Promise<number[]> {
  const message = new Uint8Array(MESSAGE_BYTES).fill(0x61);
  const times: number[] = [];
  for (let n = 0; n < ROUND_TRIPS; n++) {
    const startedMs = performance.now();
    await echoed(door, MESSAGE_BYTES, () => door.send(message));
    times.push(performance.now() - startedMs);
  }
  return times.toSorted((a, b) => a - b);
}

/** MiB per second there and back at the same time, in messages of 64 KiB. */
export async function bulk(door: Door): Promise<number> {
  const seconds = await timed(door, new Uint8Array(CHUNK_BYTES), BULK_BYTES / CHUNK_BYTES);
  return BULK_BYTES / 1024 / 1024 / seconds;
}

/** Small messages per second, sent as fast as they are taken. */
export async function burst(door: Door): Promise<number> {
  return BURST_MESSAGES / (await timed(door, new Uint8Array(MESSAGE_BYTES).fill(0x61), BURST_MESSAGES));
}

async function timed(door: Door, message: Uint8Array, count: number): Promise<number> {
  const startedMs = performance.now();
  await echoed(door, message.byteLength * count, async () => {
    for (let n = 0; n < count; n++) await door.send(message);
  });
  return (performance.now() - startedMs) / 1000;
}

function echoed(door: Door, bytes: number, send: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    let missing = bytes;
    door.onBytes = (count) => {
      missing -= count;
      if (missing === 0) resolve();
    };
    send().catch(reject);
  });
}

/** The value below which a share of sorted values lies. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}
