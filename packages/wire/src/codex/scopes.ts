// Owns which method needs what of a device: `watch` may read and follow, `drive` may do everything. One table; a
// method that is not in it needs `drive`. The endpoint enforces it.
// Source of the methods: codex app-server 0.169.

import type { ClientMethod } from './methods.ts';

/** What a device may do, the lesser first. */
export const deviceScopes = ['watch', 'drive'] as const;
export type DeviceScope = (typeof deviceScopes)[number];

/** What a method needs. With `onlyParams`, a device that may only watch sends no other parameters than these. */
export interface MethodNeed {
  readonly needs: DeviceScope;
  readonly onlyParams?: readonly string[];
}

const watch: MethodNeed = { needs: 'watch' };
const drive: MethodNeed = { needs: 'drive' };

/**
 * Not `watch`, although they only read: whatever reads files (`fs/…`, `getConversationSummary` takes a path) or
 * settings that may hold secrets (`config/read`, `getAuthStatus`).
 */
const table = {
  initialize: watch,
  'thread/list': watch,
  'thread/loaded/list': watch,
  'thread/read': watch,
  'thread/turns/list': watch,
  'thread/items/list': watch,
  // Everything else that a resume can carry (a sandbox, an approval policy, a model) changes the thread for all.
  'thread/resume': { needs: 'watch', onlyParams: ['threadId', 'excludeTurns', 'initialTurnsPage'] },
  'thread/unsubscribe': watch,
  'model/list': watch,
  'thread/goal/get': watch,
  'thread/queue/list': watch,
  'collaborationMode/list': watch,
  'mcpServerStatus/list': watch,
  'account/rateLimits/read': watch,
  'thread/start': drive,
  'thread/fork': drive,
  'thread/name/set': drive,
  'thread/archive': drive,
  'thread/unarchive': drive,
  'thread/delete': drive,
  'turn/start': drive,
  'turn/steer': drive,
  'turn/interrupt': drive,
  'thread/revert': drive,
  'thread/compact/start': drive,
  'thread/shellCommand': drive,
  'thread/settings/update': drive,
  'thread/queue/add': drive,
  'thread/queue/update': drive,
  'thread/queue/delete': drive,
  'thread/queue/reorder': drive,
  'thread/queue/start': drive,
  'skills/list': drive,
  'account/read': drive,
  'config/read': drive,
  'configRequirements/read': drive,
  'hooks/list': drive,
  'command/exec': drive,
  'command/exec/write': drive,
  'command/exec/resize': drive,
  'command/exec/terminate': drive,
  'fs/readFile': drive,
  'fs/writeFile': drive,
  'fs/readDirectory': drive,
  'fs/getMetadata': drive,
  'fs/createDirectory': drive,
  'fs/remove': drive,
  'fs/copy': drive,
  'fs/watch': drive,
  'fs/unwatch': drive,
  fuzzyFileSearch: drive,
  'fuzzyFileSearch/sessionStart': drive,
  'fuzzyFileSearch/sessionUpdate': drive,
  'fuzzyFileSearch/sessionStop': drive,
} as const satisfies Record<ClientMethod, MethodNeed>;

/** Read-only methods of codex that heddle's own client does not speak. */
const furtherTable = {
  'thread/items/read': watch,
  'thread/timeline/list': watch,
  'thread/search': watch,
  'thread/searchOccurrences': watch,
  'thread/attachment/list': watch,
  'thread/attachmentOwner/list': watch,
  'thread/backgroundTerminals/list': watch,
  'threadSection/list': watch,
  'project/list': watch,
  'project/read': watch,
  'modelProvider/list': watch,
  'modelProvider/capabilities/read': watch,
  'experimentalFeature/list': watch,
  'permissionProfile/list': watch,
  'account/usage/read': watch,
} as const satisfies Record<string, MethodNeed>;

const needs: ReadonlyMap<string, MethodNeed> = new Map(Object.entries<MethodNeed>({ ...table, ...furtherTable }));

/** What a request of that method needs; `drive` for a method that is not known. */
export function needOf(method: string): MethodNeed {
  return needs.get(method) ?? drive;
}
