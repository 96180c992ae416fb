// How a client's wishes read in opencode's terms.

import { describe, expect, it } from 'vitest';
import { modelsOf, readCatalog } from '../../../packages/bridges/src/opencode/models.ts';
import { readSession } from '../../../packages/bridges/src/opencode/native-session.ts';
import { type OpencodeWishes, promptSettings, settingsInForce, wished, wishesOf } from '../../../packages/bridges/src/opencode/settings.ts';

const providers = {
  providers: [
    {
      id: 'one',
      name: 'One',
      options: { apiKey: 'a-secret' },
      models: {
        small: { name: 'Small', variants: {}, limit: { context: 0 } },
        'vendor/large': {
          name: 'Large',
          variants: { low: {}, high: {}, max: {} },
          limit: { context: 200_000 },
          capabilities: { input: { image: true } },
        },
      },
    },
  ],
  default: { one: 'vendor/large' },
};
const catalog = readCatalog(providers, undefined);
const strict = { allowFullAccess: false };
const base: OpencodeWishes = { cwd: '/srv/work' };

describe('models', () => {
  it('are listed with their efforts, and without the keys that come with them', () => {
    const models = modelsOf(catalog);
    expect(models.map(({ id, isDefault, inputModalities }) => [id, isDefault, inputModalities])).toEqual([
      ['one/small', false, ['text']],
      ['one/vendor/large', true, ['text', 'image']],
    ]);
    expect(models[1]?.supportedReasoningEfforts.map(({ reasoningEffort }) => reasoningEffort)).toEqual(['low', 'high', 'xhigh']);
    expect(JSON.stringify([catalog, models])).not.toContain('a-secret');
  });

  it('default to the one that the configuration names, if it is there', () => {
    expect(readCatalog(providers, 'one/small').standard).toBe('one/small');
    expect(readCatalog(providers, 'none/none').standard).toBe('one/vendor/large');
    expect(readCatalog({}, 'one/small').standard).toBeUndefined();
  });
});

describe('settings', () => {
  it('name the model, its variant and the agent of a prompt', () => {
    const wishes = wished(base, { model: 'vendor/large', effort: 'xhigh', mode: 'plan', developerInstructions: 'Be brief.' });
    expect(promptSettings(wishes, catalog)).toEqual({ model: 'one/vendor/large', variant: 'max', agent: 'plan', system: 'Be brief.' });
    expect(settingsInForce(wishes, catalog, strict)).toMatchObject({ model: 'one/vendor/large', reasoningEffort: 'xhigh', mode: 'plan' });
    expect(promptSettings(wished(wishes, { mode: 'default', effort: 'medium' }), catalog)).toMatchObject({
      variant: undefined,
      agent: undefined,
    });
  });

  it('are those of the session when a thread is taken up again', () => {
    const session = readSession({
      id: 'ses_1',
      directory: '/srv/work',
      agent: 'review',
      model: { providerID: 'one', id: 'vendor/large', variant: 'max' },
      time: { created: 1, updated: 2 },
    });
    expect(session && wishesOf(session, catalog)).toEqual({
      cwd: '/srv/work',
      model: 'one/vendor/large',
      effort: 'xhigh',
      agent: 'review',
    });
    expect(session && wishesOf({ ...session, agent: 'plan' }, catalog)).toMatchObject({ mode: 'plan' });
  });

  it('keep the folder, and never say what is not in force', () => {
    const wishes = wished(base, { cwd: '/srv/other', approvalPolicy: 'never', sandbox: 'read-only' });
    expect(settingsInForce(wishes, catalog, strict)).toMatchObject({
      cwd: '/srv/work',
      approvalPolicy: 'on-request',
      sandbox: { type: 'dangerFullAccess' },
    });
    expect(settingsInForce(wishes, catalog, { allowFullAccess: true }).approvalPolicy).toBe('never');
  });
});
