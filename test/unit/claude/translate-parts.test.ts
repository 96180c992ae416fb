// The parts of the translator that recordings do not reach, or not at every edge.

import { describe, expect, it } from 'vitest';
import type { TurnEvent } from '@heddle/bridge-kit';
import { decodeMessage } from '../../../packages/bridges/src/claude/native.ts';
import {
  DECLINED_BY_USER,
  newTranslator,
  proposedFiles,
  rateLimitSnapshot,
  step,
  type Note,
} from '../../../packages/bridges/src/claude/translate.ts';
import { commandActions } from '@heddle/bridge-kit';
import { failureOf } from '../../../packages/bridges/src/claude/translate/failures.ts';
import { doneChange, proposedChange, wireChange } from '../../../packages/bridges/src/claude/translate/file-changes.ts';

const call = (name: string, input: object, parent: string | null = null) => ({
  type: 'assistant',
  uuid: 'u1',
  parent_tool_use_id: parent,
  message: { id: 'msg_1', content: [{ type: 'tool_use', id: 'toolu_1', name, input }], stop_reason: null, usage: {} },
});
const result = (content: unknown, isError = false, data?: unknown) => ({
  type: 'user',
  uuid: 'u2',
  parent_tool_use_id: null,
  message: { content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content, is_error: isError }] },
  tool_use_result: data,
});

/** The events of messages and notes, one after the other. */
function eventsOf(...inputs: (Note | { type: string; message: object })[]): TurnEvent[] {
  let translator = newTranslator({ threadId: 'T', cwd: '/w' });
  return inputs.flatMap((input) => {
    const isNote = input.type === 'fileSeen' || input.type.startsWith('permission');
    const { state, out } = step(translator, isNote ? (input as Note) : decodeMessage(input));
    translator = state;
    return out;
  });
}

describe('a proposed change of a file', () => {
  const edit = { file_path: 'a.txt', old_string: 'two', new_string: 'TWO' };

  it('names the files that have to be looked at, absolutely and once', () => {
    expect(proposedFiles(decodeMessage(call('Edit', edit)), '/w')).toEqual(['/w/a.txt']);
    expect(proposedFiles(decodeMessage(call('Bash', { command: 'ls' })), '/w')).toEqual([]);
  });

  it('is in the item from its start on, when the file was seen', () => {
    const [started] = eventsOf({ type: 'fileSeen', path: '/w/a.txt', text: 'one\n\ttwo\nthree' }, call('Edit', edit));
    expect(started).toMatchObject({
      item: {
        status: 'inProgress',
        changes: [
          {
            path: '/w/a.txt',
            kind: { type: 'update', move_path: null },
            diff: '@@ -1,3 +1,3 @@\n one\n-\ttwo\n+\tTWO\n three\n\\ No newline at end of file\n',
          },
        ],
      },
    });
  });

  it('is not invented when it was not', () => {
    expect(eventsOf(call('Edit', edit))[0]).toMatchObject({ item: { changes: [{ path: '/w/a.txt', diff: '' }] } });
  });

  it('stays as it was when the user declines', () => {
    const events = eventsOf(
      { type: 'fileSeen', path: '/w/a.txt', text: null },
      call('Write', { file_path: '/w/a.txt', content: 'new\n' }),
      result(DECLINED_BY_USER, true),
    );
    expect(events[0]).toMatchObject({ item: { changes: [{ kind: { type: 'add' }, diff: 'new\n' }] } });
    expect(events.at(-1)).toEqual({ type: 'itemCompleted', itemId: 'toolu_1', changes: { status: 'declined' } });
  });

  it('is none that claude would refuse', () => {
    const after = (before: string, input: object) => proposedChange('Edit', input as never, '/w', before).texts?.after;
    expect(after('two two', edit)).toBeUndefined(); // in two places
    expect(after('one', edit)).toBeUndefined(); // not there
    expect(after('two two', { ...edit, replace_all: true })).toBe('TWO TWO');
    expect(after('two', { ...edit, new_string: '$& $1' })).toBe('$& $1');
    expect(after('', { ...edit, old_string: '' })).toBe('TWO');
  });

  it('takes several edits of one file in their order', () => {
    const edits = [
      { old_string: 'a', new_string: 'b' },
      { old_string: 'b', new_string: 'c' },
    ];
    expect(proposedChange('MultiEdit', { file_path: '/w/f', edits }, '/w', 'a').texts).toEqual({ before: 'a', after: 'c' });
    expect(doneChange('MultiEdit', { originalFileContents: 'a', edits }, '/w/f').texts).toEqual({ before: 'a', after: 'c' });
  });

  it('falls back on the hunks that claude tells, without the file', () => {
    const structuredPatch = [{ oldStart: 3, oldLines: 1, newStart: 3, newLines: 2, lines: ['-x', '+y', '+z'] }];
    const change = doneChange('Edit', { oldString: 'x', newString: 'y\nz', originalFile: null, structuredPatch }, '/w/f');
    expect(wireChange(change)).toEqual({ path: '/w/f', kind: { type: 'update', move_path: null }, diff: '@@ -3 +3,2 @@\n-x\n+y\n+z\n' });
  });

  it('of a notebook is known when it is done', () => {
    expect(proposedChange('NotebookEdit', { notebook_path: 'n.ipynb', new_source: 'x' }, '/w', '{}')).toEqual({ path: '/w/n.ipynb' });
    expect(doneChange('NotebookEdit', { original_file: '{}\n', updated_file: '{"a":1}\n' }, '/w/n.ipynb').texts).toEqual({
      before: '{}\n',
      after: '{"a":1}\n',
    });
  });
});

describe('a call that was cut off', () => {
  const cutOff = result("The user doesn't want to proceed with this tool use. The tool use was rejected.", true, 'User rejected tool use');
  const asked: Note = {
    type: 'permissionAsked',
    toolUseId: 'toolu_1',
    toolName: 'Bash',
    input: { command: 'sleep 9' },
    agentId: undefined,
  };

  it('was declined while a person was asked', () => {
    expect(eventsOf(call('Bash', { command: 'sleep 9' }), asked, cutOff).at(-1)).toMatchObject({ changes: { status: 'declined' } });
  });

  it('failed when it ran', () => {
    const events = eventsOf(call('Bash', { command: 'sleep 9' }), asked, { type: 'permissionAnswered', toolUseId: 'toolu_1' }, cutOff);
    expect(events.at(-1)).toEqual({ type: 'itemCompleted', itemId: 'toolu_1', changes: { status: 'failed' } });
  });

  it('has one item when the question comes before the call', () => {
    const events = eventsOf(asked, call('Bash', { command: 'sleep 9' }));
    expect(events.map((event) => event.type)).toEqual(['itemStarted']);
  });
});

describe('a command', () => {
  const ended = (...told: Parameters<typeof result>) => eventsOf(call('Bash', { command: 'x' }), result(...told)).at(-1);

  it('has no exit code where claude tells none', () => {
    const data = { stdout: '', stderr: '', returnCodeInterpretation: 'No matches found' };
    expect(ended('(Bash completed with no output)', false, data)).toMatchObject({
      changes: { status: 'completed', exitCode: null, aggregatedOutput: '' },
    });
  });

  it('shows what it wrote to both outputs', () => {
    expect(ended('out\nerr', false, { stdout: 'out', stderr: 'err' })).toMatchObject({
      changes: { aggregatedOutput: 'out\nerr', exitCode: 0 },
    });
  });

  it('is said to be for reading, listing or searching only when that is certain', () => {
    const kind = (command: string) => commandActions(command, '/w')[0];
    expect(kind('cat a/b.txt')).toEqual({ type: 'read', command: 'cat a/b.txt', name: 'b.txt', path: '/w/a/b.txt' });
    expect(kind("cat '/x/a b.txt'")).toMatchObject({ type: 'read', path: '/x/a b.txt' });
    expect(kind('ls -la src')).toEqual({ type: 'listFiles', command: 'ls -la src', path: 'src' });
    expect(kind('grep -rn "to do" src')).toMatchObject({ type: 'search', query: 'to do', path: 'src' });
    for (const other of [
      'cat a > b',
      'cat $HOME/x',
      'cat a; rm b',
      'ls $(pwd)',
      'grep -A 3 x y',
      'cat a b',
      'ls "`rm x`"',
      'cat a\nrm b',
      'cat',
    ]) {
      expect(kind(other)).toEqual({ type: 'unknown', command: other });
    }
  });
});

describe('a failure', () => {
  const of = (told: Partial<Parameters<typeof failureOf>[0]>) =>
    failureOf({ text: 'x', status: null, kind: null, stopReason: null, terminalReason: null, ...told }).codexErrorInfo;

  it('has the kind that clients know', () => {
    expect(of({ status: 401 })).toBe('unauthorized');
    expect(of({ status: 429, kind: 'rate_limit' })).toBe('usageLimitExceeded');
    expect(of({ status: 529 })).toBe('serverOverloaded');
    expect(of({ status: 500 })).toBe('internalServerError');
    expect(of({ status: 400 })).toBe('badRequest');
    expect(of({ status: 400, terminalReason: 'prompt_too_long' })).toBe('contextWindowExceeded');
    expect(of({ text: 'Prompt is too long · …', status: 400 })).toBe('contextWindowExceeded');
    expect(of({ text: 'API Error: Unable to connect to API (ECONNRESET)', kind: 'server_error' })).toEqual({
      httpConnectionFailed: { httpStatusCode: null },
    });
    expect(of({ kind: 'authentication_failed' })).toBe('unauthorized');
    expect(of({ kind: 'invalid_request', stopReason: 'refusal' })).toBe('other');
    expect(of({ kind: 'something_new' })).toBe('other');
  });

  it('always says something', () => {
    expect(failureOf({ text: '', status: null, kind: null, stopReason: null, terminalReason: null }).message).toBe('claude gave no reason');
  });
});

describe('a message of claude', () => {
  it('of an unknown kind is kept, and changes nothing', () => {
    for (const [raw, kind] of [
      [{ type: 'hologram' }, 'hologram'],
      [{ type: 'system', subtype: 'dream' }, 'system/dream'],
      [{ type: 'stream_event', event: { type: 'content_block_leap' } }, 'stream_event/content_block_leap'],
      [null, 'undefined'],
    ] as const) {
      const message = decodeMessage(raw);
      expect(message).toEqual({ type: 'unknown', kind, raw });
      const translator = newTranslator({ threadId: 'T', cwd: '/w' });
      expect(step(translator, message)).toEqual({ state: translator, out: [] });
    }
  });

  it('may tell the limits of a subscription', () => {
    const info = { status: 'allowed_warning', rateLimitType: 'five_hour', utilization: 0.87, resetsAt: 1_790_000_000 };
    expect(rateLimitSnapshot(decodeMessage({ type: 'rate_limit_event', rate_limit_info: info }))).toMatchObject({
      primary: { usedPercent: 87, windowDurationMins: 300, resetsAt: 1_790_000_000 },
      secondary: null,
      rateLimitReachedType: null,
    });
    expect(rateLimitSnapshot(decodeMessage({ type: 'keep_alive' }))).toBeUndefined();
  });
});

describe('a sub-agent', () => {
  const agentId = 'a7759abe68d62d169';
  const start = {
    type: 'system',
    subtype: 'task_started',
    task_id: agentId,
    tool_use_id: 'toolu_1',
    task_type: 'local_agent',
    message: {},
  };
  const says = (id: string, text: string) => ({
    type: 'assistant',
    uuid: id,
    parent_tool_use_id: 'toolu_1',
    message: {
      id,
      content: [{ type: 'text', text }],
      stop_reason: null,
      usage: { input_tokens: 80, cache_read_input_tokens: 20, output_tokens: 1 },
    },
  });
  const over = (status: string) => ({ type: 'system', subtype: 'task_updated', task_id: agentId, patch: { status }, message: {} });
  const usage = { input_tokens: 90, cache_read_input_tokens: 30, output_tokens: 25 };
  const counted = (events: readonly TurnEvent[]) =>
    events.flatMap((event) => (event.type === 'subAgentEvent' && event.event.type === 'responseEnded' ? [event.event.usage] : []));
  const ends = (events: readonly TurnEvent[]) => events.flatMap((event) => (event.type === 'subAgentEnded' ? [event.outcome.status] : []));

  it('counts its answers, the last one as its call tells in the end', () => {
    const events = eventsOf(
      call('Agent', { prompt: 'Look.' }),
      start,
      says('msg_2', 'I look.'),
      says('msg_3', 'Looked.'),
      over('completed'),
      result('Looked.', false, { status: 'completed', agentId, content: [{ type: 'text', text: 'Looked.' }], usage }),
    );
    expect(counted(events)).toMatchObject([
      { inputTokens: 100, cachedInputTokens: 20, outputTokens: 1 },
      { inputTokens: 120, cachedInputTokens: 30, outputTokens: 25 },
    ]);
    expect(ends(events)).toEqual(['completed']);
    expect(events.at(-1)).toMatchObject({ type: 'itemCompleted', changes: { status: 'completed' } });
  });

  it('in the background ends when it is done, not with its call', () => {
    const launched = result('Async agent launched.', false, { status: 'async_launched', agentId });
    const before = eventsOf(call('Agent', { prompt: 'Look.' }), start, launched, says('msg_2', 'I look.'));
    expect(ends(before)).toEqual([]);
    const after = eventsOf(call('Agent', { prompt: 'Look.' }), start, launched, says('msg_2', 'I look.'), over('running'), over('failed'));
    expect(ends(after)).toEqual(['failed']);
    expect(counted(after)).toHaveLength(1);
  });

  it('is interrupted when its call is cut off', () => {
    const cutOff = result("The user doesn't want to proceed with this tool use. It was rejected.", true, 'User rejected tool use');
    expect(ends(eventsOf(call('Agent', { prompt: 'Look.' }), start, cutOff))).toEqual(['interrupted']);
  });

  it('that is told before its call is named by the item all the same', () => {
    const events = eventsOf(start, call('Agent', { prompt: 'Look.' }));
    expect(events.find((event) => event.type === 'itemChanged')).toMatchObject({
      changes: { receiverThreadIds: [expect.stringMatching(/^[0-9a-f-]{36}$/)] },
    });
  });
});

describe('a stored call that was cut off', () => {
  const words = "The user doesn't want to proceed with this tool use. The tool use was rejected.";
  const statusOf = (name: string, input: object) => {
    let translator = newTranslator({ threadId: 'T', cwd: '/w', isReplay: true });
    const out = [call(name, input), result(words, true, 'User rejected tool use')].flatMap((message) => {
      const { state, out: events } = step(translator, decodeMessage(message));
      translator = state;
      return events;
    });
    const end = out.find((event) => event.type === 'itemCompleted');
    return end?.type === 'itemCompleted' ? end.changes?.status : undefined;
  };

  it('has failed, since a command may have run; what writes files has done nothing', () => {
    expect(statusOf('Bash', { command: 'sleep 9' })).toBe('failed');
    expect(statusOf('Write', { file_path: 'a', content: 'b' })).toBe('declined');
  });
});
