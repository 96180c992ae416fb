// Every recording of opencode goes through the translator; what comes of it is compared with files that were read by a
// person. To see what a change does to them: vitest run --project unit test/unit/opencode/goldens -u, then git diff.

import { readdirSync } from 'node:fs';
import type { TurnEvent } from '@heddle/bridge-kit';
import { describe, expect, it } from 'vitest';
import { readRecording, type ReplayedTurn, replayTurns } from './support/replay.ts';

const folder = new URL('../../goldens/opencode/', import.meta.url);
const names = readdirSync(folder).flatMap((file) => (file.endsWith('.jsonl') ? [file.slice(0, -'.jsonl'.length)] : []));

/** What lay on the disk before. */
const files: Readonly<Record<string, ReadonlyMap<string, string>>> = { 'edit-ask': new Map([['/CWD/hello.txt', 'hello\nworld\n']]) };

describe('what becomes of a recording', () => {
  it.each(names)('%s', async (name) => {
    const recording = readRecording(name);
    const turns = recording.sessions.flatMap((sessionId) => replayTurns(recording, sessionId, files[name]));
    const unknown = new Set(recording.events.flatMap(({ native }) => (native.type === 'unknown' ? [native.kind] : [])));
    expect([...unknown]).toEqual([]);
    await expect(turns.map(describeTurn).join('\n')).toMatchFileSnapshot(`expected/${name}.txt`);
  });
});

function describeTurn({ events, items, agents, outcome }: ReplayedTurn): string {
  const lines = [
    '# events',
    ...joined(events).map((event) => JSON.stringify(event)),
    `# ended: ${JSON.stringify(outcome)}`,
    '# items',
    ...items.map((item) => JSON.stringify(item)),
    ...Object.entries(agents).flatMap(([id, each]) => [`# items of ${id}`, ...each.map((item) => JSON.stringify(item))]),
  ];
  return `${lines.join('\n')}\n`;
}

/** Deltas in a row as one, or nobody could read it. */
function joined(events: readonly TurnEvent[]): TurnEvent[] {
  const out: TurnEvent[] = [];
  for (const event of events) {
    const last = out.at(-1);
    if ('delta' in event && last !== undefined && 'delta' in last && last.type === event.type && last.itemId === event.itemId) {
      out.splice(-1, 1, { ...last, delta: last.delta + event.delta });
    } else out.push(event);
  }
  return out;
}
