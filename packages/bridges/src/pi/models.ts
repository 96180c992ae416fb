// Owns pi's models: how they are read, and the list of them as clients of codex know such lists. Pure.

import { fieldsOf, listOf, numberOf, textOf } from '@heddle/bridge-kit';
import type { Model } from '@heddle/wire';

export interface PiModel {
  provider: string;
  id: string;
  name: string;
  isReasoning: boolean;
  takesImages: boolean;
  /** In tokens. */
  contextWindow: number | null;
}

const efforts = ['none', 'minimal', 'low', 'medium', 'high'] as const;
const descriptions: Record<(typeof efforts)[number], string> = {
  none: 'No thinking',
  minimal: 'The least thinking',
  low: 'Quick answers with little thinking',
  medium: 'A balance of speed and thinking',
  high: 'Thorough thinking',
};

/** As pi's `--model` takes it, and as clients see it. */
export function modelName({ provider, id }: Pick<PiModel, 'provider' | 'id'>): string {
  return `${provider}/${id}`;
}

/** `undefined`: pi has no model. 0.73 says so by a model that is called `unknown`. */
export function readModel(value: unknown): PiModel | undefined {
  const fields = fieldsOf(value);
  const provider = textOf(fields['provider']);
  const id = textOf(fields['id']);
  if (provider === undefined || id === undefined || provider === 'unknown') return undefined;
  return {
    provider,
    id,
    name: textOf(fields['name']) ?? id,
    isReasoning: fields['reasoning'] === true,
    takesImages: listOf(fields['input']).includes('image'),
    contextWindow: numberOf(fields['contextWindow']) ?? null,
  };
}

/** @param current what pi runs with when nobody chooses. */
export function modelsOf(models: readonly PiModel[], current: PiModel | undefined): Model[] {
  const chosen = models.find((model) => current !== undefined && modelName(model) === modelName(current)) ?? models[0];
  return models.map((model) => ({
    id: modelName(model),
    model: modelName(model),
    displayName: model.name,
    description: model.provider,
    isDefault: model === chosen,
    hidden: false,
    // A client takes a list without any for broken.
    supportedReasoningEfforts: (model.isReasoning ? efforts : (['none'] as const)).map((reasoningEffort) => ({
      reasoningEffort,
      description: descriptions[reasoningEffort],
    })),
    defaultReasoningEffort: model.isReasoning ? 'medium' : 'none',
    inputModalities: model.takesImages ? ['text', 'image'] : ['text'],
    supportsPersonality: false,
  }));
}
