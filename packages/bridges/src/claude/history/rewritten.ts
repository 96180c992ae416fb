// Owns entries that are written into their own session a second time, to stand behind a compaction: under which ids, and
// how they are known for what they are. Who reads them sees the ids that they had at first.

import { type Fields, fieldsOf, textOf } from '@heddle/bridge-kit';
import { randomUUID } from 'node:crypto';
import type { Entry } from './transcript.ts';

/**
 * The same entries as new lines. claude takes an entry by its id for the one that it has read before, and joins
 * assistant entries by the id of their message; so these have new ids, and name those that they had.
 */
export function writtenAgain(sessionId: string, entries: readonly Entry[]): { lines: object[]; newIds: Map<string, string> } {
  const newIds = new Map<string, string>();
  const newId = (id: string) => {
    const known = newIds.get(id) ?? randomUUID();
    newIds.set(id, known);
    return known;
  };
  for (const { uuid } of entries) newId(uuid);
  const moved = (id: unknown) => newIds.get(textOf(id) ?? '') ?? null;
  const lines = entries.map(({ uuid, firstUuid, fields }) => {
    const message = fieldsOf(fields['message']);
    const messageId = textOf(message['id']);
    return {
      ...fields,
      uuid: newIds.get(uuid),
      parentUuid: moved(fields['parentUuid']),
      ...('logicalParentUuid' in fields ? { logicalParentUuid: moved(fields['logicalParentUuid']) } : {}),
      ...('sourceToolAssistantUUID' in fields ? { sourceToolAssistantUUID: moved(fields['sourceToolAssistantUUID']) } : {}),
      ...('compactMetadata' in fields ? { compactMetadata: withNewIds(fields['compactMetadata'], newIds) } : {}),
      ...(messageId === undefined ? {} : { message: { ...message, id: newId(messageId) } }),
      forkedFrom: { sessionId, messageUuid: firstUuid, ...(messageId === undefined ? {} : { messageId }) },
    };
  });
  return { lines, newIds };
}

/** An entry with the ids that it had at first. A session that was copied from itself is nothing that claude makes. */
export function asFirstWritten(line: Fields): Fields {
  const from = fieldsOf(line['forkedFrom']);
  const uuid = textOf(from['messageUuid']);
  if (uuid === undefined || from['sessionId'] !== line['sessionId']) return line;
  const messageId = textOf(from['messageId']);
  return { ...line, uuid, ...(messageId === undefined ? {} : { message: { ...fieldsOf(line['message']), id: messageId } }) };
}

/** A boundary's own data: nothing but ids and counts. */
function withNewIds(metadata: unknown, newIds: ReadonlyMap<string, string>): unknown {
  const text = JSON.stringify(metadata).replaceAll(/"([^"\\]+)"/g, (whole, id: string) => (newIds.has(id) ? `"${newIds.get(id)}"` : whole));
  return JSON.parse(text) as unknown;
}
