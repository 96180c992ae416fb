// `npm test`: checks, real agents, all tests. `--unit`: only the tests that need nothing but this checkout.
// Ends by printing how many tests passed and failed, alone on a line.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installAgents } from './install-agents.ts';

const isUnitOnly = process.argv.includes('--unit');

function run(command: string, args: string[]): number {
  return spawnSync(command, args, { stdio: 'inherit' }).status ?? 1;
}

if (!isUnitOnly) {
  if (run('npm', ['run', '--silent', 'check']) !== 0) process.exit(1);
  await installAgents();
}

const folder = mkdtempSync(join(tmpdir(), 'heddle-test-'));
const report = join(folder, 'report.json');
const projects = isUnitOnly ? ['unit'] : ['unit', 'agents'];
const status = run('vitest', [
  'run',
  ...projects.flatMap((name) => ['--project', name]),
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
]);
const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(report, 'utf8')) as Record<string, number>;
rmSync(folder, { recursive: true });
if (numPendingTests) process.stdout.write(`\n${numPendingTests} skipped: what they try is not installed here\n`);
process.stdout.write(`\n${numPassedTests} passed, ${numFailedTests} failed\n`);
process.exitCode = status;
