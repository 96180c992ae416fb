// Owns the requests about messages that wait for the running turn to end.

import type { HandlersOf } from '../server/call.ts';
import { refusal } from '../server/params.ts';
import type { HubThread } from './hub-thread.ts';
import type { ThreadHub } from './thread-hub.ts';
import { refuseWhileRunning } from './thread-turns.ts';
import { acceptedTurnView } from './turn-record.ts';

type QueueMethod =
  | 'thread/queue/add'
  | 'thread/queue/list'
  | 'thread/queue/update'
  | 'thread/queue/delete'
  | 'thread/queue/reorder'
  | 'thread/queue/start';

export function queueRequests(hub: ThreadHub): HandlersOf<QueueMethod> {
  const tell = (thread: HubThread) => thread.notify('thread/queue/changed', { threadId: thread.id });

  return {
    async 'thread/queue/add'(call) {
      const { params } = call;
      const thread = hub.loaded.require(params.text('threadId'));
      const queuedSubmission = thread.queue.add(params.userInput('input'), params.text('clientUserMessageId'));
      call.reply({ queuedSubmission });
      tell(thread);
      await hub.turns.startQueued(thread); // at once, when nothing runs
    },

    'thread/queue/list'(call) {
      // A queue is short: it is one page.
      call.reply({ data: [...hub.loaded.require(call.params.text('threadId')).queue.entries], nextCursor: null });
    },

    'thread/queue/update'(call) {
      const { params } = call;
      const thread = hub.loaded.require(params.text('threadId'));
      call.reply({ queuedSubmission: thread.queue.update(params.text('queuedSubmissionId'), params.userInput('input')) });
      tell(thread);
    },

    'thread/queue/delete'(call) {
      const thread = hub.loaded.require(call.params.text('threadId'));
      const deleted = thread.queue.delete(call.params.text('queuedSubmissionId'));
      call.reply({ deleted });
      if (deleted) tell(thread);
    },

    'thread/queue/reorder'(call) {
      const thread = hub.loaded.require(call.params.text('threadId'));
      thread.queue.reorder(call.params.optionalTexts('queuedSubmissionIds') ?? []);
      call.reply({});
      tell(thread);
    },

    async 'thread/queue/start'(call) {
      const thread = hub.loaded.require(call.params.text('threadId'));
      refuseWhileRunning(thread);
      const id = call.params.optionalText('queuedSubmissionId');
      const isStarted = await hub.turns.startQueued(thread, id, (turn) => call.reply({ turn: acceptedTurnView(turn) }));
      if (!isStarted) throw refusal(id === undefined ? 'nothing is queued' : `queued submission not found: ${id}`);
    },
  };
}
