import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HeddleError } from '@heddle/wire';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type HostLog, logFiles, type LogOptions, openLog } from '../../../packages/host/src/index.ts';

let dir: string;
let opened: HostLog[];
beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), 'heddle-test-')), 'logs');
  opened = [];
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const log of opened) await log.close();
  await rm(join(dir, '..'), { recursive: true, force: true });
});

async function open(options: Partial<LogOptions> = {}): Promise<HostLog> {
  const log = await openLog({ dir, level: 'info', secrets: [], ...options });
  opened.push(log);
  return log;
}
const text = async () => (await Promise.all((await logFiles(dir)).map((file) => readFile(file, 'utf8')))).join('');
const lines = async () =>
  (await text())
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('openLog', () => {
  it('writes JSON lines with time, level, scope and message', async () => {
    const now = () => new Date('2026-11-20T23:59:59.123Z');
    const { log } = await open({ now });
    log.info('started', { port: 41234, addresses: ['a', 'b'] });
    log.scope('endpoint').scope('node').error('100% %s broken "here"\n', { nothing: undefined, none: null, far: Infinity, big: 10n });
    expect(await lines()).toEqual([
      { level: 'info', time: '2026-11-20T23:59:59.123Z', port: 41234, addresses: ['a', 'b'], msg: 'started' },
      {
        level: 'error',
        time: '2026-11-20T23:59:59.123Z',
        scope: 'endpoint.node',
        none: null,
        far: 'Infinity',
        big: '10',
        msg: '100% %s broken "here"\n',
      },
    ]);
    expect((await text()).startsWith('{"level":"info","time":"2026-11-20T23:59:59.123Z",')).toBe(true);
  });

  it('keeps fields apart from the parts of the line', async () => {
    const { log } = await open();
    log.scope('s').info('m', { level: 9, time: 'x', scope: 'y', msg: 'z', err: { message: 'plain' } });
    const [raw] = (await text()).split('\n');
    expect(JSON.parse(raw as string)).toMatchObject({
      level: 'info',
      scope: 's',
      msg: 'm',
      level_: 9,
      time_: 'x',
      scope_: 'y',
      msg_: 'z',
      err: { message: 'plain' },
    });
    expect(raw?.match(/"(level|time|scope|msg)":/g)).toHaveLength(4);
    expect(raw).toContain('"err":{"message":"plain"}');
  });

  it('obeys the level, also after it was changed, in every scope', async () => {
    const hostLog = await open({ level: 'warn' });
    const scoped = hostLog.log.scope('s');
    const sayAll = () => {
      for (const level of ['trace', 'debug', 'info', 'warn', 'error'] as const) scoped[level](level);
    };
    sayAll();
    hostLog.setLevel('trace');
    sayAll();
    hostLog.setLevel('error');
    sayAll();
    expect((await lines()).map((line) => line['msg'])).toEqual(['warn', 'error', 'trace', 'debug', 'info', 'warn', 'error', 'error']);
  });

  it('tells an error whole: code, hint, stack, causes', async () => {
    const { log } = await open();
    const cause = Object.assign(new TypeError('inner'), { code: 'ECONNRESET', errno: -104 });
    log.error('failed', {
      error: new HeddleError('timeout', 'outer', { hint: 'wait', cause }),
      all: new AggregateError([new Error('one')], 'many'),
    });
    const [line] = await lines();
    expect(line).toMatchObject({
      error: {
        name: 'HeddleError',
        message: 'outer',
        code: 'timeout',
        hint: 'wait',
        stack: expect.stringContaining('log.test.ts'),
        cause: { name: 'TypeError', message: 'inner', code: 'ECONNRESET', errno: -104, stack: expect.stringContaining('TypeError: inner') },
      },
      all: { name: 'AggregateError', message: 'many', errors: [{ message: 'one' }] },
    });
  });

  it('survives whatever it is given', async () => {
    const { log } = await open();
    const circle: Record<string, unknown> = { name: 'circle' };
    circle['self'] = circle;
    const shared = { x: 1 };
    let deep: unknown = 'bottom';
    for (let n = 0; n < 50; n += 1) deep = { deep };
    const hostile = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('no');
        },
      },
    );
    log.info('odd', {
      circle,
      twice: [shared, shared],
      deep,
      hostile,
      getter: Object.defineProperty({}, 'x', {
        enumerable: true,
        get: () => {
          throw new Error('no');
        },
      }),
      json: {
        toJSON: () => {
          throw new Error('no');
        },
      },
      date: new Date(0),
      badDate: new Date(Number.NaN),
      url: new URL('http://localhost/x'),
      map: new Map([['k', new Set([1])]]),
      bytes: Buffer.from('content'),
      run: () => 1,
      holes: [undefined, () => 1],
      ['__proto__']: 1,
    });
    expect((await lines())[0]).toMatchObject({
      circle: { name: 'circle', self: '[circular]' },
      twice: [{ x: 1 }, { x: 1 }],
      hostile: '[unreadable]',
      getter: '[unreadable]',
      json: '[unreadable]',
      date: '1970-01-01T00:00:00.000Z',
      badDate: null,
      url: 'http://localhost/x',
      map: { k: [1] },
      bytes: '[7 bytes]',
      run: '[function]',
      holes: [null, '[function]'],
      msg: 'odd',
    });
    expect(await text()).toContain('[too deep]');
    expect(await text()).not.toContain('content');
    log.info('whole record', hostile);
    expect((await lines())[1]).toMatchObject({ msg: 'whole record', fields: '[unreadable]' });
  });

  it('keeps folder and files to their owner', async () => {
    const first = await open();
    first.log.info('x');
    const [file] = await logFiles(dir);
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
    expect((await stat(file as string)).mode & 0o777).toBe(0o600);
    await chmod(file as string, 0o644);
    (await open()).log.info('y');
    expect((await stat(file as string)).mode & 0o777).toBe(0o600);
    expect((await lines()).map((line) => line['msg'])).toEqual(['x', 'y']);
    await chmod(dir, 0o755);
    await expect(open()).rejects.toThrow('open to other users');
  });

  it('says why when it can not write there', async () => {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await mkdir(join(dir, 'heddle.2026-01-01.log'));
    await expect(open({ now: () => new Date('2026-01-01T00:00:00Z') })).rejects.toMatchObject({
      code: 'state_unreadable',
      message: expect.stringContaining(`can't write the log in ${dir}: EISDIR`),
    });
  });
});

describe('daily files', () => {
  const names = async () => (await readdir(dir)).toSorted();

  it('begins a new file with the first line of a day, however late that is', async () => {
    let time = Date.parse('2026-11-20T23:59:59.999Z');
    const { log } = await open({ now: () => new Date(time) });
    log.info('evening');
    time += 1;
    log.info('midnight');
    time += 3 * 24 * 3_600_000; // the laptop slept
    log.info('days later');
    expect(await names()).toEqual(['heddle.2026-11-20.log', 'heddle.2026-11-21.log', 'heddle.2026-11-24.log']);
    expect(await logFiles(dir)).toEqual((await names()).map((name) => join(dir, name)));
    expect((await lines()).map((line) => line['msg'])).toEqual(['evening', 'midnight', 'days later']);
    for (const name of await names()) expect((await stat(join(dir, name))).mode & 0o777).toBe(0o600);
  });

  it('removes files older than 14 days, at start and at each new day, and nothing else', async () => {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const others = ['heddle.log', 'heddle.2020-01-01.log.gz', 'other.2020-01-01.log', 'notes'];
    const old = ['heddle.2025-12-31.log', 'heddle.2026-11-05.log', 'heddle.2026-11-06.log', 'heddle.2026-11-07.log'];
    for (const name of [...others, ...old]) await writeFile(join(dir, name), 'x\n');
    let time = Date.parse('2026-11-20T12:00:00Z');
    const { log } = await open({ now: () => new Date(time) });
    expect(await names()).toEqual([...others, 'heddle.2026-11-06.log', 'heddle.2026-11-07.log', 'heddle.2026-11-20.log'].toSorted());
    time += 24 * 3_600_000;
    log.info('next day');
    expect(await names()).toEqual([...others, 'heddle.2026-11-07.log', 'heddle.2026-11-20.log', 'heddle.2026-11-21.log'].toSorted());
  });

  it('has no files where there is no folder', async () => {
    expect(await logFiles(join(dir, 'none'))).toEqual([]);
  });

  it('counts the lines that it could not write, says so at once, and goes on', async () => {
    const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    let time = Date.parse('2026-11-20T12:00:00Z');
    const { log } = await open({ now: () => new Date(time) });
    log.info('before');
    await rename(dir, `${dir}-away`);
    time += 24 * 3_600_000;
    log.info('lost');
    log.info('lost too');
    expect(stderr.mock.calls).toEqual([[expect.stringMatching(/^heddle: can't write the log in .*ENOENT.* free space .*\n$/)]]);
    await rename(`${dir}-away`, dir);
    log.info('after');
    log.info('as usual');
    expect((await lines()).map(({ msg, lines: count }) => [msg, count])).toEqual([
      ['before', undefined],
      ['log lines could not be written', 2],
      ['after', undefined],
      ['as usual', undefined],
    ]);
  });

  it('has every line when the process dies at once', async () => {
    const index = fileURLToPath(new URL('../../../packages/host/src/index.ts', import.meta.url));
    const script = `import { openLog } from ${JSON.stringify(index)};
      const { log } = await openLog({ dir: process.argv[1], level: 'info', secrets: [] });
      for (let n = 0; n < 1000; n += 1) log.info('line', { n });
      process.kill(process.pid, 'SIGKILL');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, dir], { stdio: 'ignore' });
    expect(await new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)))).toBe('SIGKILL');
    expect(await lines()).toHaveLength(1000);
  });

  it('takes no line after it was closed, and does not mind', async () => {
    const hostLog = await open();
    hostLog.log.info('last');
    await hostLog.close();
    await hostLog.close();
    hostLog.log.info('too late');
    expect((await lines()).map((line) => line['msg'])).toEqual(['last']);
  });
});

describe('at a terminal', () => {
  it('says the same in short, and nothing that moves the cursor', async () => {
    const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const { log } = await open({ stderr: 'trace', now: () => new Date(2026, 10, 20, 9, 8, 7), secrets: ['hunter2hunter2'] });
    log.scope('codex').warn('odd \u001b[2J\r\nname', {
      error: new Error('no hunter2hunter2'),
      path: '/a/b',
      text: 'two words',
      gone: undefined,
      n: 1,
      list: [1],
    });
    log.debug('not at this level');
    log.info('plain');
    expect(stderr.mock.calls.map(([said]) => said)).toEqual([
      '09:08:07 warn  codex: odd \\x1b[2J\\x0d\\x0aname (error="no [redacted]", path=/a/b, text="two words", n=1, list=[1])\n',
      '09:08:07 info  plain\n',
    ]);
  });

  it('goes on without a terminal that was closed', async () => {
    const index = fileURLToPath(new URL('../../../packages/host/src/index.ts', import.meta.url));
    const script = `import { openLog } from ${JSON.stringify(index)};
      const { log } = await openLog({ dir: process.argv[1], level: 'info', secrets: [], stderr: 'trace' });
      let n = 0;
      const say = () => { log.info('line', { n }); n += 1; if (n < 200) setImmediate(say); else log.info('end'); };
      say();`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, dir], { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.once('data', () => child.stderr.destroy());
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0);
    expect((await lines()).at(-1)).toMatchObject({ msg: 'end' });
  });
});
