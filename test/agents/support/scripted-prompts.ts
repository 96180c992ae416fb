// Owns the prompts of every agent that is driven by the scripted model server: the model's answers are in them.

import type { Prompts } from '../../conformance/agent-under-test.ts';
import { prompt } from '../../model-server/script.ts';
import type { ModelServer } from '../../model-server/server.ts';

const file = 'notes.txt';

/** @param newGateName a name that was never used before, for each slow answer. */
export function scriptedPrompts(server: ModelServer, newGateName: () => string): Prompts {
  return {
    text: (words) => prompt('Say it.', { text: words }),
    reasoning: () =>
      prompt('Think.', { think: ['**Looking**\n\nFirst thought.', '**Deciding**\n\nSecond thought.'], text: 'Thought through.' }),
    plan: () =>
      prompt('Plan it.', [
        {
          tools: [
            {
              kind: 'plan',
              items: [
                { step: 'Look', status: 'completed' },
                { step: 'Act', status: 'in_progress' },
                { step: 'Check', status: 'pending' },
              ],
            },
          ],
        },
        { text: 'That is the plan.' },
      ]),
    command: (command) => prompt('Run it.', [{ tools: [{ kind: 'shell', command }] }, { text: 'That was the command.' }]),
    addFile: () =>
      prompt('Add it.', [{ tools: [{ kind: 'write', path: file, content: 'one\ntwo\nthree\n' }] }, { text: 'That was the file.' }]),
    changeFile: () =>
      prompt('Change it.', [
        { tools: [{ kind: 'edit', path: file, old: 'two\n', new: 'deux\ndeux\n' }] },
        { text: 'That was the change.' },
      ]),
    slow: () => {
      const gate = newGateName();
      return {
        prompt: prompt('Take your time.', { text: ['The first words, ', { wait: gate }, 'and the last ones.'] }),
        release: () => server.release(gate),
      };
    },
    countImages: () => prompt('Look.', { text: ['I see ', { count: 'images' }, '.'] }),
    failures: {
      'HTTP 500': () => prompt('Fail.', { error: { status: 500 } }),
      'HTTP 401': () => prompt('Fail.', { error: { status: 401 } }),
      'a cut stream': () => prompt('Fail.', { text: 'This will not be', cut: true }),
    },
  };
}
