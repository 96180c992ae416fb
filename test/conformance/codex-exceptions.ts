// Owns what the real codex app-server 0.169 is excused from. A bridge of heddle's own is not: it closes what it
// opened, and shows a client that joins what was before.

import type { Finding, OrderException } from './order.ts';

const joined = 'codex does not show a client that resumes mid-turn the items of the running turn beyond the user message';
const isUnstartedForJoiner = ({ isJoined, kind }: Finding) => isJoined === true && kind === 'unstarted';

export const codexOrderExceptions: readonly OrderException[] = [
  {
    rule: 'R1',
    reason: 'on a busy machine the answer sometimes comes right after turn/started (a few times in some thousand turns)',
    applies: ({ kind }) => kind === 'late',
  },
  { rule: 'R4', reason: joined, applies: isUnstartedForJoiner },
  { rule: 'R5', reason: joined, applies: isUnstartedForJoiner },
  { rule: 'R17', reason: joined, applies: isUnstartedForJoiner },
  {
    rule: 'R5',
    reason: 'a command that outlives its turn (interrupted, or left in the background) completes when its process ends',
    applies: ({ itemType, kind }) => itemType === 'commandExecution' && kind === 'afterTurn',
  },
  {
    rule: 'R13',
    reason: 'the open item of an interrupted or cancelled step never completes',
    applies: ({ turnStatus }) => turnStatus === 'interrupted',
  },
  {
    rule: 'R13',
    reason: 'the message of an answer that broke off never completes, nor does the one of the retry that broke off too',
    applies: ({ itemType, turnStatus }) => itemType === 'agentMessage' && turnStatus === 'failed',
  },
  {
    rule: 'R13',
    reason: 'new input drops the message that was being written',
    applies: ({ itemType, isSteered }) => itemType === 'agentMessage' && isSteered === true,
  },
];
