// The entry: checks Node, gives the process's streams and signals to the program, and ends with its exit code.
// Nothing but the check is imported statically: on a Node that is too old the rest may not even load.

import { nodeVersionProblem } from './node-version.ts';

const problem = nodeVersionProblem(process.versions.node);
if (problem === undefined) {
  const { runProcess } = await import('./run-process.ts');
  await runProcess();
} else {
  process.stderr.write(`heddle: ${problem}\n`);
  process.exitCode = 2;
}
