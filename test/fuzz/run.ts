// What `npm run fuzz -- [--minutes N] [--seed S] [--only WORD]` runs: every property of this folder in turn, for as
// long as asked. The first failure ends it with its seed and its smallest case.

import { parseArgs } from 'node:util';
import * as fc from 'fast-check';
import { properties } from './properties.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '5' }, seed: { type: 'string' }, only: { type: 'string' } },
});
const minutes = Number(values.minutes);
const firstSeed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
if (!(minutes > 0) || !Number.isInteger(firstSeed)) throw new Error('usage: npm run fuzz -- [--minutes N] [--seed S] [--only WORD]');
/** The longest turn of one property; a short run is shared out so that each has one. */
const MAX_SLICE_MS = 10_000;

const chosen = Object.entries(properties).filter(([name]) => name.includes(values.only ?? ''));
if (chosen.length === 0) throw new Error(`no property is called "${values.only}"; there are: ${Object.keys(properties).join('; ')}`);
const runs = new Map<string, number>(chosen.map(([name]) => [name, 0]));
const endMs = performance.now() + minutes * 60_000;
say(`seed ${firstSeed}, ${minutes} min`);
// A promise that nobody owns is a bug as well.
process.on('unhandledRejection', (error) => {
  process.stderr.write(`a rejection that nobody handles: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});

for (let seed = firstSeed; performance.now() < endMs; seed++) {
  for (const [n, [name, { make }]] of chosen.entries()) {
    const sliceMs = Math.min(MAX_SLICE_MS, (endMs - performance.now()) / (chosen.length - n));
    if (sliceMs <= 0) break;
    const options = { seed, numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: sliceMs, markInterruptAsFailure: false };
    const details = await fc.check(make(), options);
    runs.set(name, (runs.get(name) ?? 0) + details.numRuns);
    if (!details.failed) continue;
    say(`\n${name} FAILED\n${await fc.asyncDefaultReportMessage(details)}`);
    process.exit(1);
  }
  say([...runs].map(([name, count]) => `${String(count).padStart(9)}  ${name}`).join('\n'));
}
const untried = [...runs].filter(([, count]) => count === 0).map(([name]) => name);
if (untried.length > 0) {
  say(`there was no time for: ${untried.join('; ')}`);
  process.exit(1);
}
say('no failure');

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
