// What people answer, in claude's terms.

import { describe, expect, it } from 'vitest';
import { permissionAnswer, readPermissionRequest } from '../../../packages/bridges/src/claude/approvals.ts';
import { planAnswer, planDecision } from '../../../packages/bridges/src/claude/plan.ts';
import { questionAnswer, questionsOf } from '../../../packages/bridges/src/claude/questions.ts';
import { availabilityOf, readAuthStatus } from '../../../packages/bridges/src/claude/probe.ts';

// As claude 2.1.197 asks about `touch aaa`.
const command = readPermissionRequest({
  subtype: 'can_use_tool',
  tool_name: 'Bash',
  input: { command: 'touch aaa', description: 'Touch it' },
  description: 'Touch it',
  permission_suggestions: [
    { type: 'addRules', rules: [{ toolName: 'Bash', ruleContent: 'touch aaa *' }], behavior: 'allow', destination: 'localSettings' },
    { type: 'addDirectories', directories: ['/srv'], destination: 'session' },
    { type: 'setMode', mode: 'acceptEdits', destination: 'session' },
  ],
  blocked_path: '/srv/aaa',
  tool_use_id: 'toolu_1',
});
const edit = readPermissionRequest({
  tool_name: 'Write',
  input: { file_path: '/tmp/x', content: '1' },
  permission_suggestions: [
    { type: 'setMode', mode: 'acceptEdits', destination: 'session' },
    { type: 'addDirectories', directories: ['/tmp'], destination: 'session' },
  ],
  decision_reason: 'Path is outside allowed working directories',
  tool_use_id: 'toolu_2',
});

describe('an approval', () => {
  it('lets claude do what it proposed, unchanged', () => {
    expect(permissionAnswer(command, 'accept')).toEqual({
      behavior: 'allow',
      updatedInput: { command: 'touch aaa', description: 'Touch it' },
    });
  });

  it('of a command for the session takes its rule, for the session only, and accepts no edits', () => {
    expect(permissionAnswer(command, 'acceptForSession')).toEqual({
      behavior: 'allow',
      updatedInput: { command: 'touch aaa', description: 'Touch it' },
      updatedPermissions: [
        { type: 'addRules', rules: [{ toolName: 'Bash', ruleContent: 'touch aaa *' }], behavior: 'allow', destination: 'session' },
      ],
    });
  });

  it('of an edit for the session takes what claude suggests', () => {
    expect(permissionAnswer(edit, 'acceptForSession')).toMatchObject({
      updatedPermissions: [
        { type: 'setMode', mode: 'acceptEdits', destination: 'session' },
        { type: 'addDirectories', directories: ['/tmp'], destination: 'session' },
      ],
    });
  });

  it('that is none is a refusal', () => {
    expect(permissionAnswer(command, 'decline')).toMatchObject({ behavior: 'deny', message: expect.stringMatching(/\S/) as string });
    expect(permissionAnswer(command, 'decline')).not.toHaveProperty('interrupt');
    expect(permissionAnswer(command, 'cancel')).toMatchObject({ behavior: 'deny', interrupt: true });
    expect(permissionAnswer(command, 'invalid')).toMatchObject({ behavior: 'deny' });
  });

  it('says why claude asks', () => {
    expect([command.reason, edit.reason]).toEqual(['Touch it', 'Path is outside allowed working directories']);
  });
});

const questions = {
  questions: [
    {
      question: 'Which days?',
      header: 'Days',
      multiSelect: true,
      options: [
        { label: 'Mon', description: 'm' },
        { label: 'Tue', description: 't' },
      ],
    },
    { question: 'Why?', header: 'Why', multiSelect: false, options: [{ label: 'So', description: '' }] },
  ],
};

describe('a question', () => {
  it('is put with its options, and other words are welcome', () => {
    expect(questionsOf(questions)).toEqual([
      {
        id: 'question-1',
        header: 'Days',
        question: 'Which days? Several answers are possible.',
        isOther: true,
        isSecret: false,
        options: [
          { label: 'Mon', description: 'm' },
          { label: 'Tue', description: 't' },
        ],
      },
      { id: 'question-2', header: 'Why', question: 'Why?', isOther: true, isSecret: false, options: [{ label: 'So', description: '' }] },
    ]);
  });

  it('is answered by its text', () => {
    expect(questionAnswer(questions, { 'question-1': ['Mon', 'Tue'], 'question-2': ['because of the rain'] })).toEqual({
      behavior: 'allow',
      updatedInput: { ...questions, answers: { 'Which days?': 'Mon, Tue', 'Why?': 'because of the rain' } },
    });
  });

  it('that was not answered is told as such', () => {
    for (const none of ['cancelled', {}, { 'question-1': [] }, { 'question-1': [' '] }] as const)
      expect(questionAnswer(questions, none)).toEqual({ behavior: 'deny', message: 'The user did not answer the questions.' });
  });
});

describe('a plan', () => {
  const input = { plan: '1. Do it.' };

  it('is implemented as the user says', () => {
    const decision = planDecision({ plan: ['Implement it, without asking before edits'] });
    expect(decision).toEqual({ kind: 'implement', areEditsAccepted: true });
    expect(planDecision({ plan: ['Implement it'] })).toEqual({ kind: 'implement', areEditsAccepted: false });
    expect(planAnswer(input, decision, 'acceptEdits')).toEqual({
      behavior: 'allow',
      updatedInput: input,
      updatedPermissions: [{ type: 'setMode', mode: 'acceptEdits', destination: 'session' }],
    });
  });

  it('goes back with the words of the user', () => {
    const back = (answers: Parameters<typeof planDecision>[0]) => planAnswer(input, planDecision(answers), 'plan');
    expect(back({ plan: ['Implement it', 'but first the tests'] })).toEqual({
      behavior: 'deny',
      message: 'The user wants to keep planning: but first the tests',
    });
    for (const none of ['cancelled', { plan: ['Keep planning'] }, {}] as const)
      expect(back(none)).toEqual({ behavior: 'deny', message: 'The user wants to keep planning.' });
  });
});

describe('whether somebody is logged in', () => {
  it('is read from what claude says, and unknown keeps nobody out', () => {
    expect(['{"loggedIn":false}', '{"loggedIn":true}', 'error: unknown command', ''].map(readAuthStatus)).toEqual([
      false,
      true,
      undefined,
      undefined,
    ]);
    const installed = { path: '/bin/claude', version: '2.1.197' };
    expect(availabilityOf(installed, undefined)).toEqual({ isAvailable: true, version: '2.1.197' });
    expect(availabilityOf(installed, false)).toEqual({
      isAvailable: false,
      version: '2.1.197',
      reason: 'claude is not logged in',
      fix: 'Run `claude` in a terminal and type /login, or set ANTHROPIC_API_KEY.',
    });
  });
});
