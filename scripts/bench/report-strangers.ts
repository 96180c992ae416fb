// Shows what strangers cost the daemon and the requests of a device.

import { measureGuessing } from './guessing.ts';
import { printTable, say } from './print-table.ts';
import { measureJunk } from './strangers.ts';

export async function reportJunk(): Promise<void> {
  const { guardedMsPerMb, plainMsPerMb } = await measureJunk();
  say('\na stranger sends junk before the key exchange: CPU of the daemon, ms per MB sent');
  printTable(
    ['', 'ms/MB', '× guarded'],
    [
      ['heddle', guardedMsPerMb.toFixed(2), '1'],
      ["libp2p's own tcp()", plainMsPerMb.toFixed(0), (plainMsPerMb / guardedMsPerMb).toFixed(0)],
    ],
  );
}

export async function reportGuessing(): Promise<void> {
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
  printTable(
    ['', 'undisturbed ms', 'guessed at ms', 'ratio', 'goal'],
    (['p50Ms', 'p95Ms'] as const).map((name) => [
      name.slice(0, 3),
      undisturbed[name].toFixed(2),
      guessedAt[name].toFixed(2),
      (guessedAt[name] / undisturbed[name]).toFixed(2),
      '< 2',
    ]),
  );
}
