// Owns `command/exec` and what belongs to it: commands that a client runs on this machine without a thread. They are
// the session's, under names that the client chose, and end with it. No sandbox: a device that may drive may do all
// that the user may.

import type { Call, HandlersOf } from '../server/call.ts';
import { refusal } from '../server/params.ts';
import type { Session } from '../server/session.ts';
import { readInput, writeInput } from './exec-input.ts';
import { readExecRequest, readSize } from './exec-params.ts';
import { PerSession } from './per-session.ts';
import { loadPty, type PtyLoader } from './pseudo-terminal.ts';
import { SessionCommands } from './session-commands.ts';

type ExecMethod = 'command/exec' | 'command/exec/write' | 'command/exec/resize' | 'command/exec/terminate';

export interface CommandExecOptions {
  /** What commands inherit: the user's environment. Asked for each command. */
  env: () => NodeJS.ProcessEnv | Promise<NodeJS.ProcessEnv>;
  loadPty?: PtyLoader;
}

export class CommandExec {
  readonly handlers: HandlersOf<ExecMethod>;
  readonly #commands: PerSession<SessionCommands>;

  constructor({ env, loadPty: load = loadPty }: CommandExecOptions) {
    this.#commands = new PerSession((session) => new SessionCommands(session, { env, loadPty: load }));
    const named = (call: Call<never>) => this.#commands.of(call.session).named(call.params.text('processId'));
    this.handlers = {
      'command/exec': async (call) => call.reply(await this.#commands.of(call.session).run(readExecRequest(call.params))),
      'command/exec/write': async (call) => {
        const exec = named(call);
        writeInput(exec, await exec.started, readInput(call.params));
        call.reply({});
      },
      'command/exec/resize': async (call) => {
        const size = readSize(call.params);
        if (size === undefined) throw refusal('Invalid request: missing field `size`');
        const process = await named(call).started;
        if (!('resize' in process)) throw refusal('failed to resize PTY: process is not attached to a PTY');
        process.resize(size);
        call.reply({});
      },
      'command/exec/terminate': (call) => {
        named(call).end();
        call.reply({});
      },
    };
  }

  closeSession(session: Session): Promise<void> {
    return this.#commands.closeSession(session);
  }

  close(): Promise<void> {
    return this.#commands.close();
  }
}
