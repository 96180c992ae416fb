// Owns which threads a `thread/list` shows and in which order.

import type { Page, Thread } from '@heddle/wire';
import { pageOf } from '../server/page.ts';
import type { Params } from '../server/params.ts';
import type { ThreadCatalog } from './thread-catalog.ts';
import type { ThreadFacts } from './thread-view.ts';

const sortKeys = {
  created_at: (facts: ThreadFacts) => facts.createdAtMs,
  updated_at: (facts: ThreadFacts) => facts.updatedAtMs,
  recency_at: (facts: ThreadFacts) => facts.recencyAtMs,
  /** There are no sections, so all threads are in the same place and their age decides. */
  section_position: (facts: ThreadFacts) => facts.createdAtMs,
} as const;
const sortKeyNames = Object.keys(sortKeys) as (keyof typeof sortKeys)[];

/** Kinds under which a client may ask for people's threads: of a terminal, or started through an app-server. */
const peoplesKinds = ['cli', 'vscode', 'appServer'];
const subAgentKinds = ['subAgent', 'subAgentThreadSpawn'];

/** Filters for threads that belong to a section or a project, or are attached; none here is. */
const groupFilters = ['attachedToThreadId', 'sectionId', 'projectId'];

/**
 * A page of threads without their turns. As in codex, ephemeral threads are never listed, sub-agents' only when they
 * are asked for, and threads that were never used only among the archived; newest first unless asked otherwise.
 */
export async function listThreads(catalog: ThreadCatalog, params: Params): Promise<Page<Thread>> {
  const rank = sortKeys[params.optionalChoice('sortKey', sortKeyNames) ?? 'created_at'];
  const request = {
    cursor: params.optionalText('cursor'),
    limit: params.optionalCount('limit'),
    direction: params.sortDirection('desc'),
  };
  const isWanted = wantedBy(params, catalog.labels.modelProvider);
  const facts = (await catalog.allFacts()).filter(isWanted);
  const page = pageOf(
    facts.map((one) => ({ value: one, rank: rank(one), id: one.id })),
    request,
  );
  return { ...page, data: page.data.map((one) => catalog.viewOf(one)) };
}

function wantedBy(params: Params, provider: string): (facts: ThreadFacts) => boolean {
  const isArchived = params.flag('archived');
  const folders = params.optionalTexts('cwd');
  const searchTerm = params.optionalText('searchTerm')?.toLowerCase() ?? '';
  const providers = params.optionalTexts('modelProviders') ?? [];
  const originators = params.optionalTexts('originators') ?? [];
  const excluded = new Set(params.optionalTexts('excludedThreadIds'));
  const isOfKind = kindFilter(params);
  const isOfAGroup = groupFilters.some((filter) => params.optionalText(filter) !== undefined);
  if (isOfAGroup || (providers.length > 0 && !providers.includes(provider))) return () => false;
  return (facts) =>
    !facts.isEphemeral &&
    facts.isArchived === isArchived &&
    (facts.isUsed || facts.isArchived) &&
    isOfKind(facts) &&
    (folders === undefined || folders.includes(facts.cwd)) &&
    (searchTerm === '' || `${facts.name ?? ''}\n${facts.preview}`.toLowerCase().includes(searchTerm)) &&
    (originators.length === 0 || (facts.originator !== undefined && originators.includes(facts.originator))) &&
    !excluded.has(facts.id);
}

function kindFilter(params: Params): (facts: ThreadFacts) => boolean {
  const kinds = params.optionalTexts('sourceKinds') ?? [];
  const parent = params.optionalText('parentThreadId') ?? params.optionalText('ancestorThreadId');
  if (parent !== undefined) return ({ subAgent }) => subAgent?.parentThreadId === parent;
  const showsPeoples = kinds.length === 0 || kinds.some((kind) => peoplesKinds.includes(kind));
  const showsSubAgents = kinds.some((kind) => subAgentKinds.includes(kind));
  return ({ subAgent, originator }) => {
    if (subAgent !== undefined) return showsSubAgents;
    if (!showsPeoples || kinds.length === 0) return showsPeoples;
    return originator === undefined ? kinds.includes('cli') : kinds.includes('vscode') || kinds.includes('appServer');
  };
}
