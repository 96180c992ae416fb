// Owns a session of the demo bridge for the tests of the machine's services: everything that is said in it is
// recorded, and must be what codex could have said.

import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect } from 'vitest';
import { recordChannel } from '../../conformance/recorder.ts';
import { describeTail, Recording } from '../../conformance/recording.ts';
import { loadSchemaCheck } from '../../conformance/schema.ts';
import { DemoClient, demoBridge } from '../bridges/demo-client.ts';

const schema = loadSchemaCheck();
const endings: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

/** A folder of this test, gone after it; its path holds no links. */
export async function scratchFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'heddle-services-')));
  endings.push(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

export interface ServiceSessions {
  /** Another session with the same agent. */
  connect(capabilities?: object): Promise<DemoClient>;
  /** Ends the agent. */
  close(): Promise<void>;
}

/** An agent for this test; what its sessions have said is compared with codex's schema when the test is over. */
export function serviceSessions(env: NodeJS.ProcessEnv = process.env): ServiceSessions {
  const bridge = demoBridge(env);
  const recording = new Recording();
  endings.push(async () => {
    await bridge.close();
    expect(serverViolations(recording), describeTail(recording.entries)).toEqual([]);
  });
  let sessions = 0;
  return {
    connect(capabilities = { experimentalApi: true }) {
      sessions += 1;
      const name = `client ${sessions}`;
      const open = async () => recordChannel(await bridge.open(), recording, name);
      return DemoClient.connect({ ...bridge, open }, capabilities);
    },
    close: () => bridge.close(),
  };
}

/** What the tests ask is wrong on purpose at times; what the agent says never is. */
function serverViolations({ entries }: Recording): string[] {
  const said = new Set(entries.flatMap((entry) => (entry.kind === 'message' && entry.direction === 'toClient' ? [entry.seq] : [])));
  return schema.check(entries).flatMap(({ seq, text }) => (said.has(seq) ? [`${seq} ${text}`] : []));
}

/** One session of an agent for this test. */
export function connect(env?: NodeJS.ProcessEnv): Promise<DemoClient> {
  return serviceSessions(env).connect();
}
