// `npm run fuzz -- [--minutes N] [--seed S] [--only WORD]`: a long run of the fuzz tests, in a process of its own,
// which a crash may take with it.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../test/fuzz/run.ts', import.meta.url));
const { status, signal } = spawnSync(process.execPath, [program, ...process.argv.slice(2)], { stdio: 'inherit' });
if (signal !== null) process.stderr.write(`the fuzz run was ended by ${signal}\n`);
process.exitCode = status ?? 1;
