// Shows what heddle's way costs against raw TCP, a plain WebSocket and a bare libp2p stream. Machines are noisy: the doors
// take turns within each round, and the tables show ratios of medians of one run.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type Door, type EchoAddresses, openDoors } from './doors.ts';
import { bulk, burst, median, percentile, roundTrips } from './measure.ts';
import { printTable, say } from './print-table.ts';

const ROUNDS = 3;

interface Figures {
  p50: number[];
  p99: number[];
  bulk: number[];
  burst: number[];
}

interface NamedFigures extends Figures {
  name: string;
}

export async function reportDoors(): Promise<void> {
  const all = await measureDoors();
  const [raw, ws, libp2p, link] = all;
  if (raw === undefined || ws === undefined || libp2p === undefined || link === undefined) throw new Error('a door is missing');

  say('\nclient → daemon → echo agent and back, 200-byte messages, one at a time');
  printTable(
    ['', 'p50 µs', '× TCP', '× ws', 'p99 µs', '× TCP', '× ws'],
    all.map(({ name, p50, p99 }) => [
      name,
      us(p50),
      ratio(p50, raw.p50),
      ratio(p50, ws.p50),
      us(p99),
      ratio(p99, raw.p99),
      ratio(p99, ws.p99),
    ]),
  );
  say('\n64 KiB messages both ways at once');
  printTable(
    ['', 'MiB/s', '× TCP', '× ws'],
    all.map(({ name, bulk: values }) => [name, median(values).toFixed(0), ratio(values, raw.bulk), ratio(values, ws.bulk)]),
  );
  say('\nbursts of 200-byte messages there and back');
  printTable(
    ['', 'messages/s', '× ws'],
    all.filter((door) => door !== raw).map(({ name, burst: values }) => [name, median(values).toFixed(0), ratio(values, ws.burst)]),
  );
  say('\nthe link by itself: no endpoint, no agent');
  printTable(
    ['', 'measured', 'goal'],
    [
      ['bulk, × libp2p stream', ratio(link.bulk, libp2p.bulk), '≥ 0.90'],
      ['added to p50, ms', (median(link.p50) - median(libp2p.p50)).toFixed(3), '≤ 0.100'],
      ['bursts, × ws', ratio(link.burst, ws.burst), '≥ 1.00'],
    ],
  );
}

async function measureDoors(): Promise<NamedFigures[]> {
  const server = fork(new URL('./echo-server.ts', import.meta.url));
  const [addresses] = (await once(server, 'message')) as [EchoAddresses];
  const doors = await openDoors(addresses);
  const figures = new Map<Door, Figures>(doors.map((door) => [door, { p50: [], p99: [], bulk: [], burst: [] }]));

  for (const door of doors) await roundTrips(door); // warm
  for (let round = 0; round < ROUNDS; round++) {
    for (const [door, { p50, p99 }] of figures) {
      const times = await roundTrips(door);
      p50.push(percentile(times, 0.5));
      p99.push(percentile(times, 0.99));
    }
    for (const [door, { bulk: results }] of figures) results.push(await bulk(door));
    for (const [door, { burst: results }] of figures) if (door.name !== 'raw TCP') results.push(await burst(door));
  }
  for (const door of doors) await door.close();
  server.disconnect();
  return [...figures].map(([door, values]) => ({ name: door.name, ...values }));
}

function ratio(values: number[], base: number[]): string {
  return (median(values) / median(base)).toFixed(2);
}

function us(values: number[]): string {
  return (median(values) * 1000).toFixed(0);
}
