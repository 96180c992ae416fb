// What a client wishes, in claude's terms, and what it is told of it.

import { describe, expect, it } from 'vitest';
import { fullModelName, modelsOf, modelToResume } from '../../../packages/bridges/src/claude/models.ts';
import { claudeArguments, claudeEnvironment } from '../../../packages/bridges/src/claude/process-arguments.ts';
import { withWishes } from '@heddle/bridge-kit';
import { effortOf, permissionModeOf, settingsInForce } from '../../../packages/bridges/src/claude/settings.ts';

const cwd = '/srv';
const asking = { allowFullAccess: false };
const free = { allowFullAccess: true };

describe('the permission mode', () => {
  it.each([
    [{}, 'default'],
    [{ approvalPolicy: 'untrusted' }, 'default'],
    [{ approvalPolicy: 'on-request' }, 'default'],
    [{ approvalPolicy: 'on-request', sandbox: 'workspace-write' }, 'acceptEdits'],
    [{ approvalPolicy: 'untrusted', sandbox: 'workspace-write' }, 'default'],
    [{ approvalPolicy: 'on-request', sandbox: 'read-only' }, 'default'],
    [{ sandbox: 'workspace-write' }, 'default'],
    [{ approvalPolicy: 'never' }, 'default'],
    [{ approvalPolicy: 'never', sandbox: 'danger-full-access' }, 'default'],
    [{ approvalPolicy: { granular: {} } }, 'default'],
    [{ areEditsAccepted: true }, 'acceptEdits'],
    [{ approvalPolicy: 'never', mode: 'plan' }, 'plan'],
  ] as const)('of %j is %s', (wishes, mode) => {
    expect(permissionModeOf({ cwd, ...wishes }, asking)).toBe(mode);
  });

  it('without questions needs the word of host.toml', () => {
    expect(permissionModeOf({ cwd, approvalPolicy: 'never' }, free)).toBe('bypassPermissions');
    expect(permissionModeOf({ cwd, approvalPolicy: 'on-request' }, free)).toBe('default');
    expect(permissionModeOf({ cwd, approvalPolicy: 'never', mode: 'plan' }, free)).toBe('plan');
  });

  it('forgets what was accepted for the session when another policy is chosen', () => {
    const accepted = { cwd, areEditsAccepted: true };
    expect(permissionModeOf(withWishes(accepted, { model: 'sonnet' }), asking)).toBe('acceptEdits');
    expect(permissionModeOf(withWishes(accepted, { approvalPolicy: 'untrusted' }), asking)).toBe('default');
  });
});

describe('what is reported', () => {
  const applied = { model: 'claude-sonnet-5', effort: 'max' };

  it('is what is in force, and no sandbox', () => {
    expect(settingsInForce({ cwd, approvalPolicy: 'never', sandbox: 'read-only', mode: 'plan' }, applied, asking)).toEqual({
      cwd: '/srv',
      model: 'claude-sonnet-5',
      modelProvider: 'claude',
      reasoningEffort: null,
      approvalPolicy: 'on-request',
      sandbox: { type: 'dangerFullAccess' },
      mode: 'plan',
    });
  });

  it('is "never" where host.toml allows it', () => {
    const told = settingsInForce({ cwd, approvalPolicy: 'never' }, { model: 'm', effort: 'xhigh' }, free);
    expect(told).toMatchObject({ approvalPolicy: 'never', reasoningEffort: 'xhigh', mode: 'default' });
  });

  it.each([
    ['none', 'low'],
    ['minimal', 'low'],
    ['low', 'low'],
    ['xhigh', 'xhigh'],
    ['max', undefined],
    [undefined, undefined],
  ])('effort %s is %s to claude', (effort, expected) => {
    expect(effortOf(effort === undefined ? {} : { effort })).toBe(expected);
  });
});

const levels = ['low', 'medium', 'high', 'xhigh', 'max'];
const offered = [
  { value: 'default', resolvedModel: 'claude-opus-4-8[1m]', displayName: 'Default', description: 'd', supportedEffortLevels: levels },
  { value: 'opus[1m]', resolvedModel: 'claude-opus-4-8[1m]', displayName: 'Opus', description: 'o', supportedEffortLevels: levels },
  { value: 'sonnet', resolvedModel: 'claude-sonnet-5', displayName: 'Sonnet', description: 's', supportedEffortLevels: levels },
  { value: 'haiku', resolvedModel: 'claude-haiku-4-5', displayName: 'Haiku', description: 'h', supportedEffortLevels: [] },
];

describe('models', () => {
  it('are listed with the efforts that clients know, the default marked and named once', () => {
    const listed = modelsOf(offered);
    expect(listed.map(({ id, isDefault }) => [id, isDefault])).toEqual([
      ['opus[1m]', true],
      ['sonnet', false],
      ['haiku', false],
    ]);
    expect(listed[0]).toMatchObject({ model: 'claude-opus-4-8[1m]', displayName: 'Opus', defaultReasoningEffort: 'high' });
    expect(listed[0]?.supportedReasoningEfforts.map(({ reasoningEffort }) => reasoningEffort)).toEqual(['low', 'medium', 'high', 'xhigh']);
    expect(listed[2]?.supportedReasoningEfforts.map(({ reasoningEffort }) => reasoningEffort)).toEqual(['medium']);
  });

  it('keep a default that has no other name', () => {
    expect(modelsOf(offered.filter(({ value }) => value !== 'opus[1m]')).map(({ id, isDefault }) => [id, isDefault])).toEqual([
      ['default', true],
      ['sonnet', false],
      ['haiku', false],
    ]);
  });

  it.each([
    ['claude-opus-4-8', undefined], // the default: with its large context
    ['claude-sonnet-5', 'sonnet'],
    ['claude-sonnet-4', 'claude-sonnet-4'],
    ['<synthetic>', undefined],
    [null, undefined],
  ])('%s of a transcript goes on as %s', (stored, expected) => {
    expect(modelToResume(stored, offered)).toBe(expected);
  });

  it('are known by their full names', () => {
    expect(['sonnet', undefined, 'claude-x'].map((wanted) => fullModelName(wanted, offered))).toEqual([
      'claude-sonnet-5',
      'claude-opus-4-8[1m]',
      'claude-x',
    ]);
  });
});

describe('the command line', () => {
  const start = { session: { id: 'abc', isStored: false }, mode: 'default', allowFullAccess: false, hasThinkingDisplay: true } as const;

  it('begins or continues a session, and never turns the questions off', () => {
    expect(claudeArguments(start).join(' ')).toBe(
      '-p --input-format stream-json --output-format stream-json --verbose --include-partial-messages --replay-user-messages ' +
        '--permission-prompt-tool stdio --thinking-display summarized --session-id abc --permission-mode default',
    );
    const resumed = {
      ...start,
      session: { id: 'abc', isStored: true },
      model: 'sonnet',
      effort: 'low',
      hasThinkingDisplay: false,
    } as const;
    expect(claudeArguments(resumed).join(' ')).toContain(
      '--permission-prompt-tool stdio --resume abc --model sonnet --effort low --permission-mode default',
    );
    expect(claudeArguments({ ...start, allowFullAccess: true })).not.toContain('--dangerously-skip-permissions');
  });

  it('has an environment in which claude does not take itself for its own child', () => {
    expect(claudeEnvironment({ PATH: '/bin', CLAUDECODE: '1', CLAUDE_CODE_ENTRYPOINT: 'cli', ANTHROPIC_API_KEY: 'k' })).toEqual({
      PATH: '/bin',
      ANTHROPIC_API_KEY: 'k',
    });
  });
});
