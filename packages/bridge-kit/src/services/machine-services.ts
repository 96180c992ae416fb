// Owns the services of this machine as one set of handlers: commands, files, search and git, which no agent has and
// each client of each agent may ask for. What a session has begun ends with it.

import type { Log } from '@heddle/rpc';
import type { GitDiffToRemoteResult, GitInfo } from '@heddle/wire';
import type { Handler, HandlerTable } from '../server/call.ts';
import type { Session } from '../server/session.ts';
import { CommandExec } from './command-exec.ts';
import { fileRequests } from './file-requests.ts';
import { FileSearch } from './file-search.ts';
import { FileWatches } from './file-watches.ts';
import { Git } from './git.ts';
import { gitDiffToRemote } from './git-diff-to-remote.ts';
import { GitInfos } from './git-info.ts';

export interface MachineServicesOptions {
  /** The environment of the user, which commands inherit. Asked for each one, so it may become known late. */
  env: () => NodeJS.ProcessEnv | Promise<NodeJS.ProcessEnv>;
  log: Log;
}

export interface MachineServices {
  readonly handlers: HandlerTable;
  /** Methods that only a client with the capability `experimentalApi` may call, as in codex. */
  readonly experimentalMethods: readonly string[];
  /** What `Thread.gitInfo` says of a folder; `null` where no repository is. Fresh to a few seconds. Never rejects. */
  gitInfoOf(cwd: string): Promise<GitInfo | null>;
  /** Ends what the session has begun. It need not be called: a session that closes is noticed. */
  closeSession(session: Session): Promise<void>;
  /** Ends everything. Resolves when no process is left. */
  close(): Promise<void>;
}

export function machineServices({ env, log }: MachineServicesOptions): MachineServices {
  const git = new Git(env);
  const infos = new GitInfos(git);
  const scoped = [new CommandExec({ env }), new FileWatches(log), new FileSearch({ git, log })] as const;
  const [commands, watches, search] = scoped;
  const diffToRemote: Handler<GitDiffToRemoteResult> = async (call) => call.reply(await gitDiffToRemote(git, call.params.text('cwd')));
  const handlers: HandlerTable = {
    ...commands.handlers,
    ...fileRequests,
    ...watches.handlers,
    ...search.handlers,
    gitDiffToRemote: diffToRemote,
  };
  return {
    handlers,
    experimentalMethods: Object.keys(handlers).filter((method) => method.startsWith('fuzzyFileSearch/')),
    gitInfoOf: (cwd) => infos.of(cwd),
    async closeSession(session) {
      await Promise.all(scoped.map((service) => service.closeSession(session)));
    },
    async close() {
      await Promise.all(scoped.map((service) => service.close()));
    },
  };
}
