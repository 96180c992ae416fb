// Owns the requests that begin, steer and interrupt turns, and those that take turns back or shorten their memory.

import type { TurnId } from '@heddle/wire';
import type { HandlersOf, OlderHandlersOf, OwnHandlersOf } from '../server/call.ts';
import { type Params, refusal } from '../server/params.ts';
import type { HubThread } from './hub-thread.ts';
import type { UserMessage } from './running-turn.ts';
import type { ThreadCatalog } from './thread-catalog.ts';
import type { ThreadHub } from './thread-hub.ts';
import { backwardsCursors, fullTurns } from './thread-reads.ts';
import { acceptedTurnView } from './turn-record.ts';
import { readWanted } from './wanted-settings.ts';

type TurnMethod = 'turn/start' | 'turn/steer' | 'turn/interrupt' | 'thread/compact/start' | 'thread/revert' | 'thread/settings/update';

type TurnHandlers = HandlersOf<TurnMethod> & OlderHandlersOf<'thread/rollback'> & OwnHandlersOf<'thread/unrevert'>;

export function turnRequests(hub: ThreadHub, catalog: ThreadCatalog): TurnHandlers {
  /** Drops what `chosen` picks out of a thread's turns. */
  const takeBack = async (thread: HubThread, chosen: (ids: TurnId[]) => TurnId[]) => {
    await hub.turns.revert(thread, async () => {
      const { turns } = await catalog.turns(await catalog.require(thread.id));
      return chosen(turns.map(({ turn }) => turn.id));
    });
    const found = await catalog.require(thread.id);
    return { found, turns: (await catalog.turns(found)).turns };
  };

  return {
    async 'turn/start'(call) {
      const { params } = call;
      await hub.turns.say(params.text('threadId'), readMessage(params), readWanted(params), (turn) =>
        call.reply({ turn: acceptedTurnView(turn) }),
      );
    },

    'turn/steer'(call) {
      const { running } = hub.loaded.require(call.params.text('threadId'));
      const message = readMessage(call.params);
      const expected = call.params.text('expectedTurnId');
      if (running === undefined || running.cutShort !== undefined) throw refusal('no active turn to steer');
      if (running.id !== expected) throw refusal(`expected active turn id \`${expected}\` but found \`${running.id}\``);
      hub.turns.steer(running, message);
      call.reply({ turnId: running.id });
    },

    'turn/interrupt'(call) {
      const { running } = hub.loaded.require(call.params.text('threadId'));
      const turnId = call.params.text('turnId');
      if (running === undefined) throw refusal('no active turn to interrupt');
      if (running.id !== turnId) throw refusal(`expected active turn id ${turnId} but found ${running.id}`);
      call.reply({});
      running.cut({ status: 'interrupted' });
    },

    async 'thread/compact/start'(call) {
      await hub.turns.compact(call.params.text('threadId'), () => call.reply({}));
    },

    async 'thread/settings/update'(call) {
      await hub.changeSettings(call.params.text('threadId'), readWanted(call.params));
      call.reply({});
    },

    async 'thread/revert'(call) {
      const thread = hub.loaded.require(call.params.text('threadId'));
      const beforeTurnId = call.params.text('beforeTurnId');
      const { found, turns } = await takeBack(thread, (ids) => {
        if (!ids.includes(beforeTurnId)) throw refusal(`no turn ${beforeTurnId} in thread ${thread.id}`);
        return ids.slice(ids.indexOf(beforeTurnId));
      });
      call.reply({ thread: catalog.view(found), ...backwardsCursors(turns) });
      thread.notify('thread/reverted', { threadId: thread.id });
    },

    async 'thread/unrevert'(call) {
      const thread = hub.loaded.require(call.params.text('threadId'));
      await hub.turns.unrevert(thread);
      const found = await catalog.require(thread.id);
      call.reply({ thread: catalog.view(found, fullTurns((await catalog.turns(found)).turns)) });
      thread.notify('thread/reverted', { threadId: thread.id });
    },

    // What codex 0.132 had in its place; phones edit a message with it.
    async 'thread/rollback'(call) {
      const thread = hub.loaded.require(call.params.text('threadId'));
      const numTurns = call.params.optionalCount('numTurns') ?? 0;
      if (numTurns < 1) throw refusal('numTurns must be >= 1');
      const { found, turns } = await takeBack(thread, (ids) => ids.slice(Math.max(0, ids.length - numTurns)));
      call.reply({ thread: catalog.view(found, fullTurns(turns)) });
      thread.notify('thread/reverted', { threadId: thread.id });
    },
  };
}

function readMessage(params: Params): Omit<UserMessage, 'id'> {
  return { content: params.userInput('input'), clientId: params.optionalText('clientUserMessageId') ?? null };
}
