// `npm run soak [-- HOURS]`: the tests of the link over flaky paths, made longer. A failure prints its seed; HEDDLE_SEED
// takes it.

import { spawnSync } from 'node:child_process';

const hours = Number(process.argv[2] ?? 1);
if (!(hours > 0)) throw new Error(`${process.argv[2]} is no number of hours`);
/** Measured: a thousand cuts, with 200,000 messages each way, take a minute and a half; fifty turns a quarter of one. */
const rounds = Math.max(1, Math.round(hours * 36));
const env = {
  ...process.env,
  HEDDLE_CUTS: String(1_000 * rounds),
  HEDDLE_CUT_MESSAGES: String(200_000 * rounds),
  HEDDLE_CUT_TURNS: String(50 * rounds),
};
const files = ['test/unit/link/cuts.test.ts', 'test/agents/cuts.test.ts'];
process.exitCode = spawnSync('vitest', ['run', ...files], { env, stdio: 'inherit' }).status ?? 1;
