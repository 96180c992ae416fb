// The guessers as a process of their own: it is sent the plan and answers with what became of the guesses.

import { constants, setPriority } from 'node:os';
import { guessAll, type GuessPlan } from './guess.ts';

// Real ones have computers of their own: here they must not take the daemon's time on the processor from it.
setPriority(constants.priority.PRIORITY_LOW);
process.on('disconnect', () => process.exit(0));
process.once('message', (plan: GuessPlan) => {
  guessAll(plan).then(
    (outcomes) => process.send?.(outcomes),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});
