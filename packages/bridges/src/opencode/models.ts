// Owns the list of opencode's models as clients of codex know such lists, and which of them is meant. Pure. What comes
// with the list holds keys: nothing is read of it but what is named here.

import { type Fields, fieldsOf, listOf, numberOf, textOf } from '@heddle/bridge-kit';
import type { Model } from '@heddle/wire';

/** opencode's reasoning variants that codex's clients know as efforts, from little to much. */
const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'] as const;
type Effort = (typeof efforts)[number];
/** opencode's name for the most, where it has no `xhigh`. */
const MOST = 'max';

const effortDescriptions: Record<Effort, string> = {
  none: 'No thinking',
  minimal: 'Hardly any thinking',
  low: 'Quick answers with little thinking',
  medium: 'A balance of speed and thinking',
  high: 'Thorough thinking',
  xhigh: 'The most thinking, for the hardest problems',
};

export interface OpencodeModel {
  provider: string;
  id: string;
  name: string;
  providerName: string;
  /** Names of its reasoning variants. */
  variants: string[];
  /** In tokens; `undefined`: not known. */
  contextWindow: number | undefined;
  takesImages: boolean;
}

export interface ModelCatalog {
  models: OpencodeModel[];
  /** `provider/model`; `undefined` when there is none at all. */
  standard: string | undefined;
}

/**
 * @param providers the answer of `GET /config/providers`
 * @param configured the model that the user's configuration names
 */
export function readCatalog(providers: unknown, configured: string | undefined): ModelCatalog {
  const fields = fieldsOf(providers);
  const models = listOf(fields['providers']).flatMap((each) => modelsOfProvider(fieldsOf(each)));
  const isThere = (name: string) => models.some((model) => fullName(model) === name);
  const first = models[0];
  const ofProvider =
    first === undefined ? undefined : `${first.provider}/${textOf(fieldsOf(fields['default'])[first.provider]) ?? first.id}`;
  const wanted = [configured, ofProvider].find((name) => name !== undefined && isThere(name));
  return { models, standard: wanted ?? (first === undefined ? undefined : fullName(first)) };
}

export function fullName({ provider, id }: Pick<OpencodeModel, 'provider' | 'id'>): string {
  return `${provider}/${id}`;
}

/** The model that a client means: by its full name, or by its own name alone. */
export function findModel({ models }: ModelCatalog, name: string): OpencodeModel | undefined {
  return models.find((model) => fullName(model) === name) ?? models.find(({ id }) => id === name);
}

/** The parts of `provider/model`; a model's name may have slashes too. */
export function splitName(name: string): { providerID: string; modelID: string } {
  const at = name.indexOf('/');
  return { providerID: name.slice(0, at), modelID: name.slice(at + 1) };
}

export function modelsOf({ models, standard }: ModelCatalog): Model[] {
  return models.map((model) => toModel(model, fullName(model) === standard));
}

export function contextWindowsOf({ models }: ModelCatalog): Map<string, number> {
  return new Map(models.flatMap((model) => (model.contextWindow === undefined ? [] : [[fullName(model), model.contextWindow] as const])));
}

/** codex's effort as one of a model's variants; `undefined`: the model's own. */
export function variantOf(effort: string | undefined, variants: readonly string[]): string | undefined {
  if (effort === undefined) return undefined;
  if (variants.includes(effort)) return effort;
  return effort === 'xhigh' && variants.includes(MOST) ? MOST : undefined;
}

/** A variant as codex's clients know it. */
export function effortOf(variant: string | undefined, variants: readonly string[]): Effort | undefined {
  if (variant === MOST && !variants.includes('xhigh')) return 'xhigh';
  return efforts.find((effort) => effort === variant);
}

function toModel(model: OpencodeModel, isDefault: boolean): Model {
  const { name, providerName, variants, takesImages } = model;
  const known = efforts.filter((effort) => variantOf(effort, variants) !== undefined);
  return {
    id: fullName(model),
    model: fullName(model),
    displayName: name,
    description: providerName,
    isDefault,
    hidden: false,
    // A client takes a list without any for broken.
    supportedReasoningEfforts: (known.length > 0 ? known : (['medium'] as const)).map((reasoningEffort) => ({
      reasoningEffort,
      description: effortDescriptions[reasoningEffort],
    })),
    defaultReasoningEffort: known.includes('medium') ? 'medium' : (known[0] ?? 'medium'),
    inputModalities: takesImages ? ['text', 'image'] : ['text'],
    supportsPersonality: false,
  };
}

function modelsOfProvider(provider: Fields): OpencodeModel[] {
  const id = textOf(provider['id']);
  if (id === undefined) return [];
  const providerName = textOf(provider['name']) ?? id;
  return Object.entries(fieldsOf(provider['models'])).map(([key, value]) => {
    const fields = fieldsOf(value);
    const contextWindow = numberOf(fieldsOf(fields['limit'])['context']) ?? 0;
    return {
      provider: id,
      id: key,
      name: textOf(fields['name']) ?? key,
      providerName,
      variants: Object.keys(fieldsOf(fields['variants'])),
      contextWindow: contextWindow > 0 ? contextWindow : undefined,
      takesImages: fieldsOf(fieldsOf(fields['capabilities'])['input'])['image'] === true,
    };
  });
}
