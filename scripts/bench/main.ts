// `npm run bench`: what heddle's way costs against raw TCP, a plain WebSocket and a bare libp2p stream, and what the daemon itself costs.
// Machines are noisy: the doors take turns within each round, and the table shows ratios of medians of one run.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { measureClaudeHistory } from './claude-history.ts';
import { measureClaudeLatency } from './claude-latency.ts';
import { measureDaemon } from './daemon-cost.ts';
import { type Door, type EchoAddresses, openDoors } from './doors.ts';
import { measureGuessing } from './guessing.ts';
import { bulk, burst, median, percentile, roundTrips } from './measure.ts';
import { measureReconnect } from './reconnect.ts';
import { measureJunk } from './strangers.ts';

const ROUNDS = 3;

interface Figures {
  p50: number[];
  p99: number[];
  bulk: number[];
  burst: number[];
}

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

const all = [...figures].map(([door, values]) => ({ name: door.name, ...values }));
const [raw, ws, libp2p, link] = all;
if (raw === undefined || ws === undefined || libp2p === undefined || link === undefined) throw new Error('a door is missing');
const ratio = (values: number[], base: number[]) => (median(values) / median(base)).toFixed(2);

say('\nclient → daemon → echo agent and back, 200-byte messages, one at a time');
table(
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
table(
  ['', 'MiB/s', '× TCP', '× ws'],
  all.map(({ name, bulk: values }) => [name, median(values).toFixed(0), ratio(values, raw.bulk), ratio(values, ws.bulk)]),
);
say('\nbursts of 200-byte messages there and back');
table(
  ['', 'messages/s', '× ws'],
  all.filter(({ name }) => name !== 'raw TCP').map(({ name, burst: values }) => [name, median(values).toFixed(0), ratio(values, ws.burst)]),
);

say('\nthe link by itself: no endpoint, no agent');
table(
  ['', 'measured', 'goal'],
  [
    ['bulk, × libp2p stream', ratio(link.bulk, libp2p.bulk), '≥ 0.90'],
    ['added to p50, ms', (median(link.p50) - median(libp2p.p50)).toFixed(3), '≤ 0.100'],
    ['bursts, × ws', ratio(link.burst, ws.burst), '≥ 1.00'],
  ],
);

say('\nfrom the return of the path until an echo arrives, ms');
table(
  ['after', 'count', 'p50', 'p95', 'goal p95'],
  (await measureReconnect()).map(({ name, count, p50Ms, p95Ms, goalP95Ms }) => [
    name,
    String(count),
    p50Ms.toFixed(0),
    p95Ms.toFixed(0),
    `≤ ${goalP95Ms}`,
  ]),
);

const cost = await measureDaemon();
say('\nthe daemon, as installed');
table(
  ['', 'measured', 'goal'],
  [
    ['start to QR, ms', cost.startToQrMs.toFixed(0), '10000'],
    ['idle RSS, MB', cost.idleRssMb.toFixed(0), '120'],
    [`RSS per attached session, KiB (${cost.sessions} sessions)`, cost.rssPerSessionKib.toFixed(0), '128'],
  ],
);

const { deltas, firstWords } = await measureClaudeLatency();
say("\nfrom claude's stdout to the reader of a piece of its answer, ms: a program that starts `claude -p`, and a phone");
table(
  ['', 'pieces', 'claude -p p50', 'heddle p50', 'goal', 'claude -p p99', 'heddle p99', 'goal'],
  deltas.map(({ atOnce, count, plain, heddle }) => [
    atOnce === 1 ? 'one thread' : `${atOnce} threads at once`,
    String(count),
    plain.p50Ms.toFixed(2),
    heddle.p50Ms.toFixed(2),
    '≤ 1',
    plain.p99Ms.toFixed(2),
    heddle.p99Ms.toFixed(2),
    atOnce === 1 ? '≤ 5' : '',
  ]),
);
say('\nuntil the first words of an answer, ms');
table(
  ['', 'claude -p', 'heddle', 'added', '× claude -p'],
  firstWords.map(({ name, plainMs, heddleMs }) => [
    name,
    plainMs.toFixed(0),
    heddleMs.toFixed(0),
    (heddleMs - plainMs).toFixed(0),
    (heddleMs / plainMs).toFixed(2),
  ]),
);

const { guardedMsPerMb, plainMsPerMb } = await measureJunk();
say('\na stranger sends junk before the key exchange: CPU of the daemon, ms per MB sent');
table(
  ['', 'ms/MB', '× guarded'],
  [
    ['heddle', guardedMsPerMb.toFixed(2), '1'],
    ["libp2p's own tcp()", plainMsPerMb.toFixed(0), (plainMsPerMb / guardedMsPerMb).toFixed(0)],
  ],
);

const { peers, guesses, perSecond, seconds, outcomes, undisturbed, guessedAt } = await measureGuessing();
const sum = (codes: string[]) => codes.reduce((count, code) => count + (outcomes[code] ?? 0), 0);
const answered = sum(Object.keys(outcomes).filter((code) => code !== 'cut' && code !== 'not connected'));
say(`\na request of an enrolled device while ${peers} peers at its address guess the token, ${perSecond} times a second`);
say(
  `${guesses} guesses in ${seconds.toFixed(0)} s: ${sum(['unauthorized'])} compared, ${guesses - sum(['unauthorized'])} refused uncompared`,
);
say(
  `(${answered - sum(['unauthorized'])} by an answer, ${sum(['cut'])} cut after the key exchange, ${sum(['not connected'])} before its end)`,
);
table(
  ['', 'undisturbed ms', 'guessed at ms', 'ratio', 'goal'],
  (['p50Ms', 'p95Ms'] as const).map((name) => [
    name.slice(0, 3),
    undisturbed[name].toFixed(2),
    guessedAt[name].toFixed(2),
    (guessedAt[name] / undisturbed[name]).toFixed(2),
    '< 2',
  ]),
);

const { coldMs, warmMs, clientMs, readMs, readAgainMs, itemsRead } = await measureClaudeHistory();
say("\nclaude's stored history, ms");
table(
  ['', 'measured', 'goal'],
  [
    ['list of 10,000 sessions, cold', coldMs.toFixed(0), '≤ 3000'],
    ['list of 10,000 sessions, warm', warmMs.toFixed(0), '≤ 300'],
    ['the same for a client of the hub, a page of 50, warm', clientMs.toFixed(0), '≤ 300'],
    [`read of a transcript of ${itemsRead} items`, readMs.toFixed(0), ''],
    ['the same again', readAgainMs.toFixed(0), ''],
  ],
);

function us(values: number[]): string {
  return (median(values) * 1000).toFixed(0);
}

function table(head: string[], rows: string[][]): void {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => (row[column] ?? '').length)));
  for (const row of [head, ...rows])
    say(row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  '));
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
