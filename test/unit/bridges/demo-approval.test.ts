import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DemoClient, demoBridge, livingInGroup, type Message, runs } from './demo-client.ts';

// A secret in the daemon's environment: no command may see it.
const bridge = demoBridge({ PATH: process.env['PATH'], LANG: 'C.UTF-8', DAEMON_SECRET: 'planted-secret' });
let client: DemoClient;
beforeAll(async () => {
  client = await DemoClient.connect(bridge);
});
afterAll(() => bridge.close());

const itemOf = (messages: Message[], type: string) =>
  messages.findLast((message) => message.method === 'item/completed' && message.params.item.type === type)?.params.item;

/** What came in one turn of a new thread, from its first approval or tool item on. */
async function play(text: string, decision: unknown): Promise<{ cwd: string; sequence: string[]; messages: Message[] }> {
  const thread = await client.startThread();
  const turn = await client.startTurn(thread.id, text);
  const ofThread = (message: Message) => message.params?.threadId === thread.id;
  const request = await client.waitFor((message) => ofThread(message) && message.method?.endsWith('requestApproval') === true);
  client.answer(request, decision);
  await client.turnEnd(turn.id);
  const messages = client.received.filter(ofThread);
  const userMessage = messages.findIndex((message) => message.method === 'item/completed');
  return { cwd: thread.cwd, messages, sequence: runs(label(messages.slice(userMessage + 1))) };
}

const label = (messages: Message[]) => {
  const from = client.received.indexOf(messages[0] as Message);
  const labels = client.sequence(from);
  return labels.filter((_, index) => messages.includes(client.received[from + index] as Message));
};

// The sequence of the thread's own messages; rate limits name no thread.
const told = ['thread/tokenUsage/updated'];
const answered = ['+ agentMessage', 'item/agentMessage/delta', '- agentMessage', ...told, 'status idle', 'turn/completed completed'];
const askCommand = ['status active waitingOnApproval', '+ commandExecution', 'item/commandExecution/requestApproval'];
const askFile = [
  '+ fileChange',
  'status active waitingOnApproval',
  'item/fileChange/requestApproval',
  'serverRequest/resolved',
  'status active',
];

describe('a command of the demo', () => {
  test('accepted: it really runs, in the private folder, without the secrets of the daemon', async () => {
    const { cwd, sequence, messages } = await play('command: pwd; env | sort; echo "it\'s done" > made.txt', 'accept');
    expect(sequence).toEqual([
      ...askCommand,
      'serverRequest/resolved',
      'status active',
      'item/commandExecution/outputDelta',
      '- commandExecution completed',
      ...told,
      ...answered,
    ]);
    const item = itemOf(messages, 'commandExecution');
    if (item?.type !== 'commandExecution') throw new Error('no command item');
    expect(item).toMatchObject({ exitCode: 0, cwd, command: expect.stringMatching(/^\/bin\/sh -c 'pwd; env/) as unknown });
    const [folder, ...environment] = (item.aggregatedOutput ?? '').trim().split('\n');
    expect(folder).toBe(cwd);
    expect(environment.map((line) => line.split('=')[0])).toEqual(['HOME', 'LANG', 'PATH', 'PWD']);
    expect(environment).toContain(`HOME=${cwd}`);
    expect(readFileSync(join(cwd, 'made.txt'), 'utf8')).toBe("it's done\n");
    expect(JSON.stringify(messages)).not.toContain('planted-secret');
  });

  test('the question names everything that a client shows', async () => {
    const { cwd, messages } = await play('command: echo hi', 'accept');
    const request = messages.find((message) => message.method === 'item/commandExecution/requestApproval');
    const started = messages.find((message) => message.params.item?.type === 'commandExecution')?.params;
    expect(request?.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-/);
    expect(request?.params).toMatchObject({
      kind: 'command',
      itemId: started?.item.id,
      turnId: started?.turnId,
      command: "/bin/sh -c 'echo hi'",
      cwd,
      commandActions: [{ type: 'unknown', command: 'echo hi' }],
      availableDecisions: ['accept', 'acceptForSession', 'decline', 'cancel'],
    });
  });

  test('declined: it does not run, and the turn goes on and says so', async () => {
    const { cwd, sequence, messages } = await play('command: touch made.txt', 'decline');
    expect(sequence).toEqual([
      ...askCommand,
      'serverRequest/resolved',
      '- commandExecution declined',
      'status active',
      ...told,
      ...answered,
    ]);
    expect(itemOf(messages, 'commandExecution')).toMatchObject({ exitCode: null, processId: null, aggregatedOutput: null });
    expect(itemOf(messages, 'agentMessage')).toMatchObject({ text: 'You declined the command, so it was not run.' });
    expect(existsSync(join(cwd, 'made.txt'))).toBe(false);
  });

  test('cancelled: it does not run, and the turn is interrupted', async () => {
    const { cwd, sequence } = await play('command: touch made.txt', 'cancel');
    const end = ['status active', ...told, 'status idle', 'turn/completed interrupted'];
    expect(sequence).toEqual([...askCommand, 'serverRequest/resolved', '- commandExecution declined', ...end]);
    expect(existsSync(join(cwd, 'made.txt'))).toBe(false);
  });

  test.each([['perhaps'], [{ acceptWithExecpolicyAmendment: { execpolicy_amendment: ['touch'] } }], [undefined]])(
    'a decision that was not offered (%j) runs nothing',
    async (decision) => {
      const { cwd, sequence } = await play('command: touch made.txt', decision);
      expect(sequence.slice(3, 5)).toEqual(['serverRequest/resolved', '- commandExecution failed']);
      expect(existsSync(join(cwd, 'made.txt'))).toBe(false);
    },
  );

  test('an exit code other than 0 is a failed item in a completed turn', async () => {
    const { messages } = await play('command: echo to-stderr >&2; exit 3', 'accept');
    expect(itemOf(messages, 'commandExecution')).toMatchObject({ status: 'failed', exitCode: 3, aggregatedOutput: 'to-stderr\n' });
    expect(itemOf(messages, 'agentMessage')).toMatchObject({ text: 'The command ended with exit code 3.' });
  });

  test('accepted for the session: the identical command of this thread runs unasked, nothing else does', async () => {
    const thread = await client.startThread();
    await client.runTurn(thread.id, 'command: echo one', 'acceptForSession');
    const asked = client.all('item/commandExecution/requestApproval').length;
    const since = client.received.length;
    await client.runTurn(thread.id, 'command: echo one');
    expect(client.sequence(since)).not.toContain('status active waitingOnApproval');
    expect(client.all('item/commandExecution/requestApproval')).toHaveLength(asked);
    await client.runTurn(thread.id, 'command: echo two', 'decline');
    const other = await client.startThread();
    await client.runTurn(other.id, 'command: echo one', 'decline');
    expect(client.all('item/commandExecution/requestApproval')).toHaveLength(asked + 2);
  });

  test('interrupted while the question waits: taken back, declined, interrupted; a late answer does nothing', async () => {
    const thread = await client.startThread();
    const turn = await client.startTurn(thread.id, 'command: touch made.txt');
    const request = await client.waitFor(
      (message) => message.method?.endsWith('requestApproval') === true && message.params.turnId === turn.id,
    );
    const since = client.received.length;
    await client.ok('turn/interrupt', { threadId: thread.id, turnId: turn.id });
    await client.turnEnd(turn.id);
    expect(client.sequence(since)).toEqual([
      '= result',
      'serverRequest/resolved',
      '- commandExecution declined',
      'status idle',
      'turn/completed interrupted',
    ]);
    client.answer(request, 'accept');
    await client.runTurn(thread.id, 'text: later');
    expect(existsSync(join(thread.cwd, 'made.txt'))).toBe(false);
  });

  test('interrupted while it runs: it is ended first, and the item says what it had written', async () => {
    const thread = await client.startThread();
    const turn = await client.startTurn(thread.id, 'command: echo begun; sleep 60; touch made.txt');
    client.answer(
      await client.waitFor((one) => one.params?.turnId === turn.id && one.method?.endsWith('requestApproval') === true),
      'accept',
    );
    await client.waitFor((message) => message.method === 'item/commandExecution/outputDelta' && message.params.turnId === turn.id);
    await client.ok('turn/interrupt', { threadId: thread.id, turnId: turn.id });
    expect((await client.turnEnd(turn.id)).params.turn.status).toBe('interrupted');
    const item = itemOf(client.received, 'commandExecution');
    expect(item).toMatchObject({ status: 'failed', exitCode: 143, aggregatedOutput: 'begun\n' });
    const { processId } = item as { processId: string };
    expect(livingInGroup(Number(processId))).toEqual([]);
  });
});

describe('a file change of the demo', () => {
  test('accepted: an added file, then one changed line, both really written and truly shown', async () => {
    const { cwd, sequence, messages } = await play('file', 'accept');
    const diffs = ['turn/diff/updated', ...told, 'turn/diff/updated'];
    const end = ['+ agentMessage', 'item/agentMessage/delta', '- agentMessage', ...told, 'turn/diff/updated'];
    expect(sequence).toEqual([...askFile, '- fileChange completed', ...diffs, ...end, 'status idle', 'turn/completed completed']);
    const path = join(cwd, 'demo-notes.txt');
    const first = readFileSync(path, 'utf8');
    expect(itemOf(messages, 'fileChange')).toMatchObject({ changes: [{ path, kind: { type: 'add' }, diff: first }] });

    await client.runTurn(messages[0]?.params.threadId ?? '', 'file', 'accept');
    expect(readFileSync(path, 'utf8')).toBe(first.replace('here: 1', 'here: 2'));
    const changed = itemOf(client.received, 'fileChange');
    expect(changed).toMatchObject({ changes: [{ path, kind: { type: 'update', move_path: null } }] });
    expect(changed?.type === 'fileChange' && changed.changes[0]?.diff).toBe(
      [
        '@@ -1,5 +1,5 @@',
        ' Notes of the demo agent',
        ' ',
        ' This file lives in a private folder of one thread.',
        '-Turns that wrote here: 1',
        '+Turns that wrote here: 2',
        ' It goes when the thread is deleted.',
        '',
      ].join('\n'),
    );
  });

  test('two changes in one turn are one diff of the turn', async () => {
    const thread = await client.startThread();
    await client.runTurn(thread.id, 'file, file', 'accept');
    const diff = client.all('turn/diff/updated').at(-1)?.params.diff;
    expect(diff).toMatch(
      /^diff --git a\/demo-notes\.txt b\/demo-notes\.txt\nnew file mode 100644\nindex 0{40}\.\.[0-9a-f]{40}\n--- \/dev\/null\n/,
    );
    expect(diff).toContain('\n+Turns that wrote here: 2\n');
  });

  test('declined: nothing is written, and there is no diff', async () => {
    const { cwd, sequence } = await play('file', 'decline');
    expect(sequence).toEqual([...askFile, '- fileChange declined', ...told, ...answered]);
    expect(existsSync(join(cwd, 'demo-notes.txt'))).toBe(false);
  });

  test('cancelled: nothing is written, the item is closed, the turn interrupted', async () => {
    const { cwd, sequence } = await play('file', 'cancel');
    expect(sequence).toEqual([...askFile, '- fileChange declined', ...told, 'status idle', 'turn/completed interrupted']);
    expect(existsSync(join(cwd, 'demo-notes.txt'))).toBe(false);
  });

  test('a file that changed while the question waited is left alone', async () => {
    const thread = await client.startThread();
    const turn = await client.startTurn(thread.id, 'file');
    const request = await client.waitFor((one) => one.params?.turnId === turn.id && one.method?.endsWith('requestApproval') === true);
    writeFileSync(join(thread.cwd, 'demo-notes.txt'), 'somebody was faster');
    client.answer(request, 'accept');
    const end = await client.turnEnd(turn.id);
    expect(end.params.turn.items).toMatchObject([{ text: expect.stringContaining('changed while the question waited') as unknown }]);
    expect(itemOf(client.received, 'fileChange')).toMatchObject({ status: 'failed' });
    expect(readFileSync(join(thread.cwd, 'demo-notes.txt'), 'utf8')).toBe('somebody was faster');
  });

  test('a link in the place of the file is not followed', async () => {
    const thread = await client.startThread();
    symlinkSync('/etc/hostname', join(thread.cwd, 'demo-notes.txt'));
    const turn = await client.runTurn(thread.id, 'file');
    expect(turn.items).toMatchObject([{ text: expect.stringContaining('it is not a plain file') as unknown }]);
  });
});
