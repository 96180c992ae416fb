// Owns which threads a `thread/list` shows and in which order.

import type { Page, Thread } from '@heddle/wire';
import type { HubThread } from './hub-thread.ts';
import { pageOf } from '../server/page.ts';
import type { Params } from '../server/params.ts';

const sortKeys = {
  created_at: (thread: HubThread) => thread.record.createdAtMs,
  updated_at: (thread: HubThread) => thread.record.updatedAtMs,
  recency_at: (thread: HubThread) => thread.record.recencyAtMs,
  /** There are no sections, so all threads are in the same place and their age decides. */
  section_position: (thread: HubThread) => thread.record.createdAtMs,
} as const;
const sortKeyNames = Object.keys(sortKeys) as (keyof typeof sortKeys)[];

/** Kinds of sources under which a client may ask for our threads: started through an app-server, as codex names it. */
const ourSourceKinds = ['vscode', 'appServer'];

/** Filters for threads that belong to another thread, a section or a project; no thread here does. */
const groupFilters = ['parentThreadId', 'ancestorThreadId', 'attachedToThreadId', 'sectionId', 'projectId'];

/**
 * A page of threads without their turns. As in codex, ephemeral threads are never listed and threads that were never
 * used only among the archived; newest first unless asked otherwise.
 */
export function listThreads(threads: readonly HubThread[], params: Params): Page<Thread> {
  const rank = sortKeys[params.optionalChoice('sortKey', sortKeyNames) ?? 'created_at'];
  const isWanted = wantedBy(params);
  const entries = threads.filter(isWanted).map((thread) => ({ value: thread, rank: rank(thread), id: thread.id }));
  const page = pageOf(entries, {
    cursor: params.optionalText('cursor'),
    limit: params.optionalCount('limit'),
    direction: params.sortDirection('desc'),
  });
  return { ...page, data: page.data.map((thread) => thread.view()) };
}

function wantedBy(params: Params): (thread: HubThread) => boolean {
  const isArchived = params.flag('archived');
  const folders = params.optionalTexts('cwd');
  const searchTerm = params.optionalText('searchTerm')?.toLowerCase() ?? '';
  const providers = params.optionalTexts('modelProviders') ?? [];
  const sourceKinds = params.optionalTexts('sourceKinds') ?? [];
  const excluded = params.optionalTexts('excludedThreadIds') ?? [];
  const originators = params.optionalTexts('originators') ?? [];
  const isOfAGroup = groupFilters.some((filter) => params.optionalText(filter) !== undefined);
  return (thread) => {
    const { record } = thread;
    const title = `${record.name ?? ''}\n${record.preview}`.toLowerCase();
    return (
      !isOfAGroup &&
      !record.isEphemeral &&
      record.isArchived === isArchived &&
      (record.turns.length > 0 || record.isArchived) &&
      (folders === undefined || folders.includes(record.cwd)) &&
      title.includes(searchTerm) &&
      (providers.length === 0 || providers.includes(thread.view().modelProvider)) &&
      (sourceKinds.length === 0 || sourceKinds.some((kind) => ourSourceKinds.includes(kind))) &&
      (originators.length === 0 || originators.includes(record.originator)) &&
      !excluded.includes(record.id)
    );
  };
}
