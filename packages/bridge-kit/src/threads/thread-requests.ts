// Owns the requests that begin, join, copy, rename, hide and forget threads: what is answered, and who is told after.

import type { ThreadSettings } from '@heddle/wire';
import type { Call, HandlersOf } from '../server/call.ts';
import type { HubThread } from './hub-thread.ts';
import { pageOf } from '../server/page.ts';
import { type Params, refusal } from '../server/params.ts';
import type { Session } from '../server/session.ts';
import type { ThreadHub } from './thread-hub.ts';
import { readTurns, turnsPage } from './thread-reads.ts';
import type { TurnRecord } from './turn-record.ts';

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

/** How threads of this agent run, whatever a client asked for: the answer says what is true. */
export type FixedSettings = Omit<ThreadSettings, 'thread' | 'cwd' | 'model' | 'modelProvider'>;

export function threadRequests(hub: ThreadHub, settings: FixedSettings): HandlersOf<ThreadMethod> {
  const settingsOf = (thread: HubThread, turns: TurnRecord[]): ThreadSettings => ({
    ...settings,
    thread: thread.view(readTurns(turns)),
    model: hub.agent.labels.model,
    modelProvider: hub.agent.labels.modelProvider,
    cwd: thread.record.cwd,
  });
  const announce = (thread: HubThread) => hub.audience.broadcast('thread/started', { thread: thread.view() });

  return {
    async 'thread/start'(call) {
      const isEphemeral = call.params.flag('ephemeral');
      const thread = await hub.create({ originator: originatorOf(call), isEphemeral });
      thread.subscribers.add(call.session);
      call.reply(settingsOf(thread, []));
      announce(thread);
    },

    'thread/resume'(call) {
      const { params, session } = call;
      const thread = storedThread(hub, params);
      const { record } = thread;
      if (record.isArchived) throw refusal(`session ${record.id} is archived. Run \`thread/unarchive\` to bring it back first.`);
      const excludesTurns = params.flag('excludeTurns');
      const wantedPage = params.optionalObject('initialTurnsPage');
      const initialTurnsPage = wantedPage === undefined ? {} : { initialTurnsPage: turnsPage(thread, wantedPage, 'summary') };
      if (thread.status.type === 'notLoaded') thread.setStatus({ type: 'idle' });
      thread.subscribers.add(session);
      call.reply({ ...settingsOf(thread, excludesTurns ? [] : record.turns), ...initialTurnsPage });
      if (!excludesTurns) tellUsage(session, thread);
      thread.approvals.replayTo(session);
    },

    async 'thread/fork'(call) {
      const { params } = call;
      const source = storedThread(hub, params);
      const turns = turnsToCopy(source, params);
      const { id, preview, usage } = source.record;
      const forkOf = { id, preview, usage, turns };
      const thread = await hub.create({ originator: originatorOf(call), isEphemeral: params.flag('ephemeral'), forkOf });
      thread.subscribers.add(call.session);
      const excludesTurns = params.flag('excludeTurns');
      call.reply(settingsOf(thread, excludesTurns ? [] : turns));
      if (!excludesTurns) tellUsage(call.session, thread);
      announce(thread);
    },

    'thread/loaded/list'(call) {
      const { params } = call;
      const loaded = hub.threads.filter((thread) => thread.isLoaded);
      const entries = loaded.map(({ id, record }) => ({ value: id, rank: record.createdAtMs, id }));
      const page = pageOf(entries, { cursor: params.optionalText('cursor'), limit: params.optionalCount('limit'), direction: 'asc' });
      call.reply({ data: page.data, nextCursor: page.nextCursor });
    },

    'thread/name/set'(call) {
      const thread = storedThread(hub, call.params);
      const name = call.params.text('name').trim();
      if (name === '') throw refusal('thread name must not be empty');
      thread.record.name = name;
      thread.touch();
      call.reply({});
      hub.audience.broadcast('thread/name/updated', { threadId: thread.id, threadName: name });
    },

    async 'thread/archive'(call) {
      const thread = storedThread(hub, call.params);
      if (thread.record.isArchived) throw noRollout(thread.id);
      thread.record.isArchived = true;
      await hub.unload(thread);
      call.reply({});
      hub.audience.broadcast('thread/archived', { threadId: thread.id });
    },

    'thread/unarchive'(call) {
      const thread = hub.find(call.params.text('threadId'));
      if (thread?.record.isArchived !== true) throw refusal(`no archived rollout found for thread id ${call.params.text('threadId')}`);
      thread.record.isArchived = false;
      thread.touch();
      call.reply({ thread: thread.view() });
      hub.audience.broadcast('thread/unarchived', { threadId: thread.id });
    },

    async 'thread/delete'(call) {
      const thread = storedThread(hub, call.params);
      await hub.remove(thread);
      call.reply({});
      hub.audience.broadcast('thread/deleted', { threadId: thread.id });
    },

    'thread/unsubscribe'(call) {
      const thread = hub.find(call.params.text('threadId'));
      if (thread === undefined || !thread.isLoaded) call.reply({ status: 'notLoaded' });
      else call.reply({ status: thread.subscribers.delete(call.session) ? 'unsubscribed' : 'notSubscribed' });
    },
  };
}

/** Who joins a thread learns what it has cost so far; later counts come as notices. */
function tellUsage(session: Session, { record }: HubThread): void {
  if (record.usage === undefined) return;
  const { turnId, total, last } = record.usage;
  session.notify('thread/tokenUsage/updated', { threadId: record.id, turnId, tokenUsage: { total, last, modelContextWindow: null } });
}

function originatorOf(call: Call<never>): string {
  return call.session.client?.name ?? '';
}

function noRollout(id: string): Error {
  return refusal(`no rollout found for thread id ${id}`);
}

/** The text is codex's; clients look for it to know that a thread is not of this agent. */
function storedThread(hub: ThreadHub, params: Params): HubThread {
  const id = params.text('threadId');
  const thread = hub.find(id);
  if (thread === undefined || thread.isUnloading) throw noRollout(id);
  return thread;
}

/** Turns that have ended, up to and with `lastTurnId`, or up to `beforeTurnId`. */
function turnsToCopy(source: HubThread, params: Params): TurnRecord[] {
  const lastTurnId = params.optionalText('lastTurnId');
  const beforeTurnId = params.optionalText('beforeTurnId');
  if (lastTurnId !== undefined && beforeTurnId !== undefined) throw refusal('lastTurnId and beforeTurnId exclude each other');
  const ended = source.record.turns.filter((turn) => turn.status !== 'inProgress');
  const wanted = lastTurnId ?? beforeTurnId;
  if (wanted === undefined) return ended;
  const index = ended.findIndex((turn) => turn.id === wanted);
  if (index < 0) throw refusal(`no ended turn ${wanted} in thread ${source.id}`);
  return ended.slice(0, lastTurnId === undefined ? index : index + 1);
}
