// Every recording of pi goes through the translator; what comes of it is compared with files that were read by a person.
// To see what a change does to them: vitest run --project unit test/unit/pi/goldens -u, then git diff.

import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { TurnEvent } from '@heddle/bridge-kit';
import { readRecording, replay, type ReplayedTurn } from './support/replay.ts';

const versions = ['0.73', '0.74', '0.87'] as const;
/** Recordings in which pi does nothing. */
const withoutTurns: Record<string, string> = {
  'bad-input': 'commands that pi refuses',
  models: 'models and thinking levels',
  'no-model': 'a pi that has no model refuses to begin',
  'session-file-sample': 'a session as it is stored, see history.test.ts',
};

for (const version of versions) {
  const folder = new URL(`../../goldens/pi-${version}/`, import.meta.url);
  const names = readdirSync(folder).flatMap((name) => (name.endsWith('.jsonl') ? [name.slice(0, -'.jsonl'.length)] : []));

  describe(`recordings of pi ${version}`, () => {
    for (const name of names.filter((each) => !(each in withoutTurns))) {
      it(`${name} makes the turns it should`, async () => {
        const { turns, unknownKinds } = replay(readRecording(new URL(`${name}.jsonl`, folder)));
        expect(unknownKinds).toEqual([]);
        expect(turns.length).toBeGreaterThan(0);
        await expect(turns.map(told).join('\n')).toMatchFileSnapshot(`expected/${version}/${name}.txt`);
      });

      it(`${name} opens each item once, grows it while it is open, and closes what pi has closed`, () => {
        const { turns } = replay(readRecording(new URL(`${name}.jsonl`, folder)));
        for (const { events, outcome } of turns) {
          const open = openAfter(events);
          if (outcome?.status === 'completed') expect(open).toEqual([]);
        }
      });
    }

    for (const name of names.filter((each) => each in withoutTurns)) {
      it(`${name} has no turn: ${withoutTurns[name]}`, () => {
        expect(replay(readRecording(new URL(`${name}.jsonl`, folder))).turns).toEqual([]);
      });
    }
  });
}

/** A turn as lines: its events in short, what is in them, its items. */
function told({ events, items, outcome }: ReplayedTurn): string {
  const lines = [`turn ${outcome === undefined ? 'without an end' : JSON.stringify(outcome)}`, `  ${inShort(events)}`];
  for (const event of events) {
    if (event.type === 'responseEnded' || event.type === 'fileChanged' || event.type === 'retrying' || event.type === 'warning')
      lines.push(`  ${JSON.stringify(event)}`);
  }
  for (const item of items) lines.push(`  ${JSON.stringify(item)}`);
  return `${lines.join('\n')}\n`;
}

function inShort(events: readonly TurnEvent[]): string {
  const names = events.map((event) => (event.type === 'itemStarted' ? `${event.type} ${event.item.type}` : event.type));
  return names.filter((name, index) => name !== names[index - 1]).join(', ');
}

function openAfter(events: readonly TurnEvent[]): string[] {
  const seen = new Set<string>();
  const open = new Set<string>();
  for (const event of events) {
    if (event.type === 'itemStarted') {
      expect(seen).not.toContain(event.item.id);
      seen.add(event.item.id);
      open.add(event.item.id);
    } else if ('itemId' in event) {
      expect(open).toContain(event.itemId);
      if (event.type === 'itemCompleted') open.delete(event.itemId);
    }
  }
  return [...open];
}
