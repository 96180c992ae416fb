// Owns `fuzzyFileSearch` and its sessions: finding a file by a part of its name, while it is typed.

import { isAbsolute, resolve } from 'node:path';
import { type Log, RpcError } from '@heddle/rpc';
import { jsonRpcCodes } from '@heddle/wire';
import type { HandlersOf } from '../server/call.ts';
import { type Params, refusal } from '../server/params.ts';
import type { Session } from '../server/session.ts';
import type { Git } from './git.ts';
import { type FoundPath, listFiles } from './list-files.ts';
import { PerSession } from './per-session.ts';
import { rankFiles } from './rank-files.ts';
import { textList } from './raw-field.ts';
import { SessionSearches } from './session-searches.ts';

const MAX_ROOTS = 16;
/** Letters are typed faster than files are made; a list that is so old serves again. */
const FRESH_MS = 1_000;
const MAX_LISTS = 4;

type SearchMethod = 'fuzzyFileSearch' | 'fuzzyFileSearch/sessionStart' | 'fuzzyFileSearch/sessionUpdate' | 'fuzzyFileSearch/sessionStop';

export class FileSearch {
  readonly handlers: HandlersOf<SearchMethod>;
  readonly #git: Git;
  readonly #log: Log;
  readonly #searches: PerSession<SessionSearches>;
  readonly #lists = new Map<string, { files: Promise<FoundPath[]>; askedAtMs: number }>();

  constructor({ git, log }: { git: Git; log: Log }) {
    this.#git = git;
    this.#log = log;
    this.#searches = new PerSession((session) => new SessionSearches(session));
    this.handlers = {
      fuzzyFileSearch: async (call) => {
        const { params } = call;
        const [query, roots] = [params.text('query'), readRoots(params)];
        const signal = this.#searches.of(call.session).begin(params.optionalText('cancellationToken'));
        call.reply({ files: await rankFiles(query, await this.#filesOf(roots), signal) });
      },
      'fuzzyFileSearch/sessionStart': (call) => {
        const { params } = call;
        const [sessionId, roots] = [params.text('sessionId'), readRoots(params)];
        if (sessionId === '') throw refusal('sessionId must not be empty');
        if (roots.length === 0) {
          const message = 'failed to start fuzzy file search session: at least one search directory is required';
          throw new RpcError(jsonRpcCodes.internalError, message);
        }
        this.#searches.of(call.session).start(sessionId, this.#filesOf(roots));
        call.reply({});
      },
      'fuzzyFileSearch/sessionUpdate': async (call) => {
        const { params } = call;
        const [sessionId, query] = [params.text('sessionId'), params.text('query')];
        const searches = this.#searches.of(call.session);
        searches.assertStarted(sessionId);
        call.reply({});
        await searches.update(sessionId, query);
      },
      'fuzzyFileSearch/sessionStop': (call) => {
        this.#searches.of(call.session).stop(call.params.text('sessionId'));
        call.reply({});
      },
    };
  }

  closeSession(session: Session): Promise<void> {
    return this.#searches.closeSession(session);
  }

  close(): Promise<void> {
    return this.#searches.close();
  }

  async #filesOf(roots: readonly string[]): Promise<FoundPath[]> {
    return (await Promise.all(roots.map((root) => this.#listOf(root)))).flat();
  }

  #listOf(root: string): Promise<FoundPath[]> {
    const known = this.#lists.get(root);
    if (known !== undefined && Date.now() - known.askedAtMs < FRESH_MS) return known.files;
    const files = this.#list(root);
    this.#lists.delete(root);
    this.#lists.set(root, { files, askedAtMs: Date.now() });
    const timer = setTimeout(() => {
      if (this.#lists.get(root)?.files === files) this.#lists.delete(root); // it is large, and of no use any more
    }, FRESH_MS);
    timer.unref();
    for (const oldest of this.#lists.keys()) if (this.#lists.size > MAX_LISTS) this.#lists.delete(oldest);
    return files;
  }

  async #list(root: string): Promise<FoundPath[]> {
    const { files, isCut } = await listFiles(root, this.#git);
    if (isCut) this.#log.info('a folder has more files than a search looks at', { root, files: files.length });
    return files;
  }
}

function readRoots(params: Params): string[] {
  const roots = textList(params, 'roots');
  if (roots.length > MAX_ROOTS) throw refusal(`Invalid request: \`roots\` has more than ${MAX_ROOTS} folders`);
  for (const root of roots)
    if (!isAbsolute(root)) throw refusal(`Invalid request: \`roots\` must be absolute paths, ${JSON.stringify(root)} is not`);
  return roots.map((root) => resolve(root));
}
