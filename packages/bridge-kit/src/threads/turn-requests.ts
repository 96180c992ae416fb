// Owns the requests that begin, steer and interrupt turns.

import type { HandlersOf } from '../server/call.ts';
import type { HubThread } from './hub-thread.ts';
import { type Params, refusal } from '../server/params.ts';
import type { QueuedMessage, RunningTurn } from './running-turn.ts';
import type { ThreadHub } from './thread-hub.ts';
import { acceptedTurnView } from './turn-record.ts';

export function turnRequests(hub: ThreadHub): HandlersOf<'turn/start' | 'turn/steer' | 'turn/interrupt'> {
  return {
    async 'turn/start'(call) {
      const message = readMessage(call.params);
      let thread = loadedThread(hub, call.params);
      while (thread.running?.cutShort !== undefined) {
        await thread.running.ended; // it was interrupted and is winding up: the message is for a turn of its own
        thread = loadedThread(hub, call.params);
      }
      const { running } = thread;
      if (running === undefined) {
        hub.startTurn(thread, message, (turn) => call.reply({ turn: acceptedTurnView(turn) }));
        return;
      }
      // As in codex, a message to a thread at work joins the turn that runs.
      steer(running, message);
      call.reply({ turn: acceptedTurnView(running.record) });
    },

    'turn/steer'(call) {
      const { running } = loadedThread(hub, call.params);
      const message = readMessage(call.params);
      const expected = call.params.text('expectedTurnId');
      if (running === undefined || running.cutShort !== undefined) throw refusal('no active turn to steer');
      if (running.id !== expected) throw refusal(`expected active turn id \`${expected}\` but found \`${running.id}\``);
      steer(running, message);
      call.reply({ turnId: running.id });
    },

    'turn/interrupt'(call) {
      const { running } = loadedThread(hub, call.params);
      const turnId = call.params.text('turnId');
      if (running === undefined) throw refusal('no active turn to interrupt');
      if (running.id !== turnId) throw refusal(`expected active turn id ${turnId} but found ${running.id}`);
      call.reply({});
      running.cut({ status: 'interrupted' });
    },
  };
}

function readMessage(params: Params): QueuedMessage {
  return { content: params.userInput('input'), clientId: params.optionalText('clientUserMessageId') ?? null };
}

/** The agent takes the message at its next step; the answer goes out before that. */
function steer(turn: RunningTurn, message: QueuedMessage): void {
  if (!turn.steer(message)) throw refusal(`turn ${turn.id} is too large to take another message; wait for its end or interrupt it`);
}

function loadedThread(hub: ThreadHub, params: Params): HubThread {
  const id = params.text('threadId');
  const thread = hub.find(id);
  if (thread === undefined || !thread.isLoaded) throw refusal(`thread not found: ${id}`);
  return thread;
}
