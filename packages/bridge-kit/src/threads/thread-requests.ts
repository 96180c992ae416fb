// Owns the requests that begin, join, copy, rename, hide and forget threads: what is answered, and who is told after.

import type { Thread, ThreadSettings } from '@heddle/wire';
import type { Call, HandlersOf } from '../server/call.ts';
import { pageOf } from '../server/page.ts';
import { type Params, refusal } from '../server/params.ts';
import type { Session } from '../server/session.ts';
import type { PlacedTurn } from './history.ts';
import type { HubThread } from './hub-thread.ts';
import { collaborationModeView, settingsAnswer } from './settings-view.ts';
import type { FoundThread, ThreadCatalog } from './thread-catalog.ts';
import { noRollout, type ThreadHub } from './thread-hub.ts';
import { fullTurns, turnsPage } from './thread-reads.ts';
import { type ThreadUsage, usageView } from './thread-usage.ts';
import { storedFormOf } from './thread-view.ts';
import { readWanted } from './wanted-settings.ts';

type ThreadMethod =
  | 'thread/start'
  | 'thread/resume'
  | 'thread/fork'
  | 'thread/loaded/list'
  | 'thread/name/set'
  | 'thread/archive'
  | 'thread/unarchive'
  | 'thread/delete'
  | 'thread/unsubscribe';

export function threadRequests(hub: ThreadHub, catalog: ThreadCatalog): HandlersOf<ThreadMethod> {
  const settingsOf = (thread: HubThread, found: FoundThread, turns: PlacedTurn[]): ThreadSettings => ({
    ...settingsAnswer(thread.settings),
    thread: catalog.view(found, fullTurns(turns)),
  });
  const announce = (thread: Thread) => hub.audience.broadcast('thread/started', { thread: { ...thread, turns: [] } });

  return {
    async 'thread/start'(call) {
      // As the Codex TUI asks for the thread in which it makes up a title. Not to be had is better than with more rights.
      if (call.params.isEmptyList('environments'))
        throw refusal(`${hub.agent.name} can't be kept from this machine, as \`environments: []\` asks`);
      const made = { originator: originatorOf(call), isEphemeral: call.params.flag('ephemeral') };
      const thread = await hub.create(readWanted(call.params), made);
      thread.subscribers.add(call.session);
      const view = thread.view();
      call.reply({ ...settingsAnswer(thread.settings), thread: view });
      announce(view);
    },

    async 'thread/resume'(call) {
      const { params, session } = call;
      const id = params.text('threadId');
      const wanted = readWanted(params);
      const excludesTurns = params.flag('excludeTurns');
      const wantedPage = params.optionalObject('initialTurnsPage');
      const thread = await hub.open(id, wanted);
      const found = await catalog.require(id);
      const history = excludesTurns && wantedPage === undefined ? undefined : await catalog.turns(found);
      if (!thread.isLoaded) throw noRollout(id); // it was unloaded while its history was read
      thread.subscribers.add(session);
      call.reply({
        ...settingsOf(thread, found, excludesTurns ? [] : (history?.turns ?? [])),
        collaborationMode: collaborationModeView(thread.settings),
        ...(wantedPage === undefined ? {} : { initialTurnsPage: turnsPage(history?.turns ?? [], wantedPage, 'summary') }),
      });
      if (!excludesTurns) tellUsage(session, id, history?.usage);
      if (thread.parent === undefined) thread.questions.replayTo(session);
      else thread.questions.replayOfTo(id, session);
    },

    async 'thread/fork'(call) {
      const { params } = call;
      const source = await catalog.require(params.text('threadId'));
      const excludesTurns = params.flag('excludeTurns');
      const made = { originator: originatorOf(call), isEphemeral: params.flag('ephemeral') };
      const thread = await fork(hub, source, { params, made, turns: (await catalog.turns(source)).turns });
      const found = await catalog.require(thread.id);
      const history = excludesTurns ? undefined : await catalog.turns(found);
      thread.subscribers.add(call.session);
      const answer = settingsOf(thread, found, history?.turns ?? []);
      call.reply(answer);
      tellUsage(call.session, thread.id, history?.usage);
      announce(answer.thread);
    },

    'thread/loaded/list'(call) {
      const { params } = call;
      const loaded = hub.loaded.all.filter((thread) => thread.isLoaded);
      const entries = loaded.map(({ id, record }) => ({ value: id, rank: Math.floor(record.createdAtMs), id }));
      const page = pageOf(entries, { cursor: params.optionalText('cursor'), limit: params.optionalCount('limit'), direction: 'asc' });
      call.reply({ data: page.data, nextCursor: page.nextCursor });
    },

    async 'thread/name/set'(call) {
      const { id, inMemory } = await catalog.require(call.params.text('threadId'));
      const name = call.params.text('name').trim();
      if (name === '') throw refusal('thread name must not be empty');
      await hub.rename(id, name);
      inMemory?.touch();
      call.reply({});
      hub.audience.broadcast('thread/name/updated', { threadId: id, threadName: name });
    },

    async 'thread/archive'(call) {
      const { id, inMemory, stored } = await catalog.require(call.params.text('threadId'));
      const isUnused = hub.agent.store !== undefined && stored === undefined && !inMemory?.facts().isUsed;
      if (isUnused || hub.notes.of(id)?.isArchived) throw noRollout(id);
      hub.notes.change(id, { isArchived: true });
      if (inMemory !== undefined) await hub.loaded.unload(inMemory);
      call.reply({});
      hub.audience.broadcast('thread/archived', { threadId: id });
    },

    async 'thread/unarchive'(call) {
      const id = call.params.text('threadId');
      const found = await catalog.find(id);
      if (found === undefined || !hub.notes.of(id)?.isArchived) throw refusal(`no archived rollout found for thread id ${id}`);
      hub.notes.change(id, { isArchived: undefined });
      found.inMemory?.touch();
      call.reply({ thread: catalog.view(found) });
      hub.audience.broadcast('thread/unarchived', { threadId: id });
    },

    async 'thread/delete'(call) {
      const { id } = await catalog.require(call.params.text('threadId'));
      await hub.loaded.remove(id);
      call.reply({});
      hub.audience.broadcast('thread/deleted', { threadId: id });
    },

    'thread/unsubscribe'(call) {
      const thread = hub.loaded.find(call.params.text('threadId'));
      if (thread === undefined || !thread.isLoaded) call.reply({ status: 'notLoaded' });
      else call.reply({ status: thread.leave(call.session) ? 'unsubscribed' : 'notSubscribed' });
    },
  };
}

interface ForkRequest {
  params: Params;
  made: { originator: string; isEphemeral: boolean };
  turns: readonly PlacedTurn[];
}

/** Up to and with `lastTurnId`, or up to `beforeTurnId`, or everything that has ended. */
async function fork(hub: ThreadHub, source: FoundThread, { params, made, turns }: ForkRequest): Promise<HubThread> {
  const lastTurnId = params.optionalText('lastTurnId');
  const beforeTurnId = params.optionalText('beforeTurnId');
  if (lastTurnId !== undefined && beforeTurnId !== undefined) throw refusal('lastTurnId and beforeTurnId exclude each other');
  const ended = turns.map(({ turn }) => turn).filter((turn) => turn.status !== 'inProgress');
  const named = lastTurnId ?? beforeTurnId;
  const index = named === undefined ? ended.length : ended.findIndex((turn) => turn.id === named);
  if (index < 0) throw refusal(`no ended turn ${named} in thread ${source.id}`);
  const count = lastTurnId === undefined ? index : index + 1;
  const wanted = readWanted(params);
  const { inMemory } = source;
  if (hub.agent.store === undefined && inMemory !== undefined) return hub.forkInMemory(inMemory, ended.slice(0, count), wanted, made);
  // What has just been said may not be in the store yet; the agent knows where it is.
  const stored = source.stored ?? (inMemory?.facts().isUsed ? storedFormOf(inMemory) : undefined);
  if (stored === undefined) throw noRollout(source.id);
  return hub.fork(stored, { beforeTurnId: ended[count]?.id }, wanted, made);
}

/** Who joins a thread learns what it has cost so far; later counts come as notices. */
function tellUsage(session: Session, threadId: string, usage: ThreadUsage | undefined): void {
  if (usage === undefined) return;
  session.notify('thread/tokenUsage/updated', { threadId, turnId: usage.turnId, tokenUsage: usageView(usage) });
}

function originatorOf(call: Call<never>): string {
  return call.session.client?.name ?? '';
}
