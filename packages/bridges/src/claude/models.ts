// Owns the list of claude's models as clients of codex know such lists. Pure.

import type { Model } from '@heddle/wire';
import type { ClaudeModel } from './control.ts';
import { clientEfforts } from './settings.ts';

/** What claude calls the choice of not choosing. */
const DEFAULT_VALUE = 'default';
/** claude's suffix for a larger context; transcripts leave it out. */
const SUFFIX = /\[[^\]]*\]$/;

const effortDescriptions: Record<(typeof clientEfforts)[number], string> = {
  low: 'Quick answers with little thinking',
  medium: 'A balance of speed and thinking',
  high: 'Thorough thinking',
  xhigh: 'The most thinking, for the hardest problems',
};

/** The models that claude offers; its `default` is the one it stands for, unless that has no entry of its own. */
export function modelsOf(offered: readonly ClaudeModel[]): Model[] {
  const standard = offered.find(({ value }) => value === DEFAULT_VALUE);
  const named = offered.filter((model) => model !== standard);
  const isNamed = named.some(({ resolvedModel }) => resolvedModel === standard?.resolvedModel);
  const listed = standard === undefined || isNamed ? named : [standard, ...named];
  const first = listed.find(({ resolvedModel }) => resolvedModel === standard?.resolvedModel) ?? listed[0];
  return listed.map((model) => toModel(model, model === first));
}

function toModel({ value, resolvedModel, displayName, description, supportedEffortLevels }: ClaudeModel, isDefault: boolean): Model {
  const efforts = clientEfforts.filter((effort) => supportedEffortLevels.includes(effort));
  return {
    id: value,
    model: resolvedModel,
    displayName,
    description,
    isDefault,
    hidden: false,
    // A client takes a list without any for broken.
    supportedReasoningEfforts: (efforts.length > 0 ? efforts : (['medium'] as const)).map((reasoningEffort) => ({
      reasoningEffort,
      description: effortDescriptions[reasoningEffort],
    })),
    defaultReasoningEffort: efforts.includes('high') ? 'high' : (efforts[0] ?? 'medium'),
    inputModalities: ['text', 'image'],
    supportsPersonality: false,
  };
}

/**
 * What to start claude with so that it goes on with the model of a transcript, which tells neither the alias nor the
 * size of the context. `undefined`: with its default.
 */
export function modelToResume(stored: string | null, offered: readonly ClaudeModel[]): string | undefined {
  if (stored === null || stored.startsWith('<')) return undefined; // `<synthetic>`: claude's own words
  const same = offered.filter(({ resolvedModel }) => resolvedModel.replace(SUFFIX, '') === stored);
  if (same.some(({ value }) => value === DEFAULT_VALUE)) return undefined;
  return same[0]?.value ?? stored;
}

/** The full name of what a client asked for, as claude will report it. */
export function fullModelName(wanted: string | undefined, offered: readonly ClaudeModel[]): string {
  const found = offered.find(({ value }) => value === (wanted ?? DEFAULT_VALUE));
  return found?.resolvedModel ?? wanted ?? '';
}
