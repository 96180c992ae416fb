// Every recording of claude goes through the translator; what comes of it is compared with files that were read by a
// person. To see what a change does to them: vitest run --project unit test/unit/claude/goldens -u, then git diff.

import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { TurnEvent } from '@heddle/bridge-kit';
import { readRecording, replay, type ReplayedTurn } from './support/replay.ts';

const folder = new URL('../../goldens/claude/', import.meta.url);

/** Each recording, and why it is not replayed, where it is not. */
const scenarios: Record<string, 'replayed' | { leftOut: string }> = {
  'allow-no-updatedInput': 'replayed',
  askuser: 'replayed',
  'background-approval': 'replayed',
  'background-shell': 'replayed',
  'background-stopped': 'replayed',
  badcontent: 'replayed',
  badinput: { leftOut: 'claude ends at a line that is no JSON' },
  badtype: { leftOut: 'claude ends at a message it does not know' },
  bypass: 'replayed',
  'compact-manual': 'replayed',
  'compact-overflow': 'replayed',
  'cut-for-good': 'replayed',
  'cut-then-whole': 'replayed',
  'dead-server': 'replayed',
  'edit-acceptEdits': 'replayed',
  err400: 'replayed',
  err401: 'replayed',
  'err401-2retries': 'replayed',
  err429: 'replayed',
  'err500-forever': 'replayed',
  'err500-once': 'replayed',
  hooks: 'replayed',
  image: 'replayed',
  'image-read': 'replayed',
  init: 'replayed',
  'interrupt-permission': 'replayed',
  'interrupt-shell': 'replayed',
  'interrupt-stream': 'replayed',
  'kill-SIGKILL': 'replayed',
  maxtok: 'replayed',
  'mcp-sdk': 'replayed',
  nokey: 'replayed',
  noprompttool: 'replayed',
  overflow: 'replayed',
  parallel: 'replayed',
  'parallel-approvals': 'replayed',
  'perm-bad-answer': 'replayed',
  'perm-error-answer': 'replayed',
  'perm-unanswered-then-msg': 'replayed',
  plan: 'replayed',
  'plan-file-approved': 'replayed',
  'plan-file-rejected': 'replayed',
  'question-answered': 'replayed',
  'question-declined': 'replayed',
  refusal: 'replayed',
  resume: 'replayed',
  'resume-other-cwd': 'replayed',
  rewind: 'replayed',
  'shell-allow': 'replayed',
  'shell-allow-always': 'replayed',
  'shell-deny': 'replayed',
  'shell-deny-interrupt': 'replayed',
  'shell-fails': 'replayed',
  'shell-readonly-noask': 'replayed',
  'slash-compact': 'replayed',
  'stdin-close-midturn': 'replayed',
  'stdin-close-permission': 'replayed',
  steer: 'replayed',
  'steer-while-text-streams': 'replayed',
  'steer-while-tool-runs': 'replayed',
  'stream-text': 'replayed',
  subagent: 'replayed',
  'subagent-approval': 'replayed',
  'subagent-background': 'replayed',
  'subagent-text': 'replayed',
  'thinking-hidden': 'replayed',
  'thinking-summarized': 'replayed',
  todo: 'replayed',
  'todo-updates': 'replayed',
  'web-search': 'replayed',
  'write-allow': 'replayed',
  'write-modified-input': 'replayed',
  'write-then-edit': 'replayed',
};

describe('recordings of claude', () => {
  it('are all in the table, and all that are in the table are there', () => {
    const recorded = readdirSync(folder)
      .filter((name) => name.endsWith('.jsonl'))
      .map((name) => name.slice(0, -'.jsonl'.length));
    expect(Object.keys(scenarios).toSorted()).toEqual(recorded.toSorted());
  });

  for (const [name, kind] of Object.entries(scenarios)) {
    if (kind !== 'replayed') continue;
    it(`${name} makes the turns it should`, async () => {
      const { turns, unknownKinds } = replay(readRecording(new URL(`${name}.jsonl`, folder)), {
        threadId: 'THREAD',
        cwd: '/CWD',
        filesAreSeen: true,
      });
      expect(unknownKinds).toEqual([]);
      expect(turns.length).toBeGreaterThan(0);
      await expect(turns.map(told).join('\n')).toMatchFileSnapshot(`expected/${name}.txt`);
    });

    it(`${name} opens each item once, grows it while it is open, and closes what claude has closed`, () => {
      const { turns } = replay(readRecording(new URL(`${name}.jsonl`, folder)), { threadId: 'THREAD', cwd: '/CWD', filesAreSeen: false });
      for (const { events, outcome } of turns) {
        checkOrder(events);
        if (outcome?.status === 'completed') expect(stillOpen(events)).toEqual([]);
      }
    });
  }

  for (const [name, kind] of Object.entries(scenarios)) {
    if (kind === 'replayed') continue;
    it(`${name} has no turn: ${kind.leftOut}`, () => {
      expect(
        replay(readRecording(new URL(`${name}.jsonl`, folder)), { threadId: 'THREAD', cwd: '/CWD', filesAreSeen: true }).turns,
      ).toEqual([]);
    });
  }
});

/** A turn as lines: its events in short, what is in them, its items. */
function told({ events, items, agents, outcome }: ReplayedTurn): string {
  const lines = [`turn ${outcome === undefined ? 'without an end' : JSON.stringify(outcome)}`, `  ${inShort(events)}`];
  for (const event of events)
    if (event.type === 'planUpdated' || event.type === 'fileChanged' || event.type === 'responseEnded' || event.type === 'costKnown')
      lines.push(`  ${JSON.stringify(event)}`);
  for (const event of events)
    if (event.type === 'retrying' || event.type === 'warning' || event.type === 'subAgentStarted') lines.push(`  ${JSON.stringify(event)}`);
  for (const item of items) lines.push(`  ${JSON.stringify(item)}`);
  for (const [id, own] of Object.entries(agents)) lines.push(`  sub-agent ${id}`, ...own.map((item) => `    ${JSON.stringify(item)}`));
  return `${lines.join('\n')}\n`;
}

function inShort(events: readonly TurnEvent[]): string {
  const names = events.map((event) =>
    event.type === 'subAgentEvent'
      ? `(${event.event.type})`
      : event.type === 'itemStarted'
        ? `${event.type} ${event.item.type}`
        : event.type,
  );
  return names.filter((name, index) => name !== names[index - 1]).join(', ');
}

function checkOrder(events: readonly TurnEvent[]): void {
  const seen = new Set<string>();
  const open = new Set<string>();
  for (const event of unwrapped(events)) {
    if (event.type === 'itemStarted') {
      expect(seen).not.toContain(event.item.id);
      seen.add(event.item.id);
      open.add(event.item.id);
    } else if ('itemId' in event) {
      expect(open).toContain(event.itemId);
      if (event.type === 'itemCompleted') open.delete(event.itemId);
    }
  }
}

function stillOpen(events: readonly TurnEvent[]): string[] {
  const open = new Set<string>();
  for (const event of unwrapped(events)) {
    if (event.type === 'itemStarted') open.add(event.item.id);
    if (event.type === 'itemCompleted') open.delete(event.itemId);
  }
  return [...open];
}

function unwrapped(events: readonly TurnEvent[]): TurnEvent[] {
  return events.map((event) => (event.type === 'subAgentEvent' ? event.event : event));
}
