// Owns what the demo says. Whatever it tells of what happened is put together from what did happen.

import type { CommandOutcome } from './command-step.ts';
import type { FileOutcome } from './file-step.ts';

export const helloText =
  'Hello, this is the demo agent of heddle. There is no model behind it: it follows a script. What it shows you is real all the same, and ' +
  'goes the same way that the messages of any other agent go.';

export const introText =
  'Hello, this is the demo agent of heddle. There is no model behind me, I follow a script, but what I do is real: I run a command and ' +
  'write a file, both in a private folder that I made for this thread, and I ask you before each of them.';

export const helpText =
  'That was the tour. Next time, write one of these words, each on its own line or several in one: ' +
  '`text`, `reason`, `plan`, `command` (or `command: ls -la`, which I ask about and then really run), `file`, ' +
  '`slow 40` (so many words, slowly, to try the stop button) and `fail`. Anything else is the tour again.';

export const reasoningSections = [
  '**Reading the message**\n\nIt asks me to show how reasoning looks, so I show it.',
  '**Deciding what to do**\n\nA script has nothing to decide. I say so and go on.',
] as const;

export const tourPlan = ['Run a command, if you allow it', 'Write a file, if you allow it', 'Say what happened'] as const;
export const shortPlan = ['Read your message', 'Show a plan', 'Say that the plan is done'] as const;

export const failureText =
  'You asked the demo to fail, so this turn failed. Nothing is wrong, and the thread goes on with your next message.';

export function slowText(words: number): string {
  return Array.from({ length: words }, (_, index) => `word${index + 1}`).join(' ');
}

/** What came of a command, as a sentence. */
export function commandSentence(outcome: CommandOutcome): string {
  switch (outcome.kind) {
    case 'ran':
      return outcome.why === undefined
        ? `The command ended with exit code ${outcome.exitCode}.`
        : `The command was ended: ${outcome.why}. Its exit code is ${outcome.exitCode}.`;
    case 'declined':
    case 'cancelled':
      return 'You declined the command, so it was not run.';
    case 'invalid':
      return 'The answer to my question was not one that I offered, so the command was not run.';
    case 'failed':
      return `The command could not be started: ${outcome.why}.`;
  }
}

/** What came of a file change, as a sentence. */
export function fileSentence(outcome: FileOutcome): string {
  switch (outcome.kind) {
    case 'added':
      return `I added the file ${outcome.name}.`;
    case 'changed':
      return `I changed one line of the file ${outcome.name}.`;
    case 'declined':
    case 'cancelled':
      return `You declined the change, so the file ${outcome.name} is as it was.`;
    case 'invalid':
      return `The answer to my question was not one that I offered, so the file ${outcome.name} is as it was.`;
    case 'failed':
      return `The file ${outcome.name} could not be written: ${outcome.why}.`;
  }
}
