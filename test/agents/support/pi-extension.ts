// Owns an extension such as users have, for pi to load beside heddle's: a tool, questions of all kinds, work that begins by
// itself, and a way out of the session.

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { PiHome } from './pi-home.ts';

/** Puts it where pi finds it. */
export async function installExtension(home: PiHome): Promise<void> {
  const folder = path.join(home.path, 'extensions');
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'of-a-user.js'), source);
  const prompts = path.join(home.path, 'prompts');
  await mkdir(prompts, { recursive: true });
  await writeFile(path.join(prompts, 'say.md'), '---\ndescription: Says it\n---\nSay this: $@\n');
}

const source = `import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export default function (pi) {
  // A tool that has the name of one of pi's, and does something else.
  pi.registerTool({
    name: 'ls',
    label: 'ls',
    description: 'Leaves a mark',
    parameters: { type: 'object', properties: { path: { type: 'string' } } },
    execute: async (_id, _params, _signal, _onUpdate, ctx) => {
      writeFileSync(join(ctx.cwd, 'mark.txt'), 'left');
      return { content: [{ type: 'text', text: 'left a mark' }], details: undefined };
    },
  });
  pi.registerCommand('ask', {
    description: 'Asks everything',
    handler: async (args, ctx) => {
      const answers = [
        await ctx.ui.select('Which colour?', ['Red', 'Blue']),
        await ctx.ui.confirm('Sure?', 'There is no way back.'),
        await ctx.ui.input('What name?', 'a name'),
        await ctx.ui.editor('Change it', 'as it was'),
      ];
      writeFileSync(join(ctx.cwd, 'answers.json'), JSON.stringify(answers));
    },
  });
  pi.registerCommand('ask-briefly', {
    description: 'Does not wait long',
    handler: async (_args, ctx) => {
      const answer = await ctx.ui.confirm('Quick?', 'Now.', { timeout: 300 });
      writeFileSync(join(ctx.cwd, 'answers.json'), JSON.stringify(answer));
    },
  });
  pi.registerCommand('later', {
    description: 'Lets the model answer a little later, when nobody has said anything',
    handler: async (args) => {
      setTimeout(() => pi.sendMessage({ customType: 'later', content: args, display: true }, { triggerTurn: true }), 300);
    },
  });
  pi.registerCommand('leave', {
    description: 'Goes to another session',
    handler: async (_args, ctx) => {
      await ctx.newSession();
    },
  });
}
`;
