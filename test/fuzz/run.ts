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
/**
 * A turn is made of batches of so many cases, each with a seed of its own, and ends with a whole batch: a case that
 * fast-check interrupts for its time is never a failure, and one that hangs is just that.
 */
const BATCH = 100;

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

const seeds = new Map<string, number>(chosen.map(([name]) => [name, firstSeed]));
while (performance.now() < endMs) {
  for (const [n, [name, { make }]] of chosen.entries()) {
    const sliceEndMs = performance.now() + Math.min(MAX_SLICE_MS, (endMs - performance.now()) / (chosen.length - n));
    while (performance.now() < sliceEndMs) {
      const seed = seeds.get(name) ?? firstSeed;
      seeds.set(name, seed + 1);
      const details = await fc.check(make(), { seed, numRuns: BATCH });
      runs.set(name, (runs.get(name) ?? 0) + details.numRuns);
      if (!details.failed) continue;
      say(`\n${name} FAILED\n${await fc.asyncDefaultReportMessage(details)}`);
      process.exit(1);
    }
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
