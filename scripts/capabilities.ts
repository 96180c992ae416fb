// `npm run capabilities`: runs the conformance scenarios of every agent and writes down what each was seen to do, in
// the sheet that ships and in the README. `npm test` compares both with what it sees.

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type CapabilitySheet, withCapabilityTable } from './capability-table.ts';
import { installAgents } from './install-agents.ts';

const sheetFile = fileURLToPath(new URL('../packages/bridges/src/capability-sheet.json', import.meta.url));
const readme = fileURLToPath(new URL('../README.md', import.meta.url));

await installAgents();
// Whatever in these files runs the scenarios runs this test last; the rest of them takes a minute or two.
const agents = ['codex', 'claude', 'opencode', 'pi'];
const files = ['test/unit/conformance/demo.test.ts', ...agents.map((agent) => `test/agents/${agent}.test.ts`)];
const env = { ...process.env, HEDDLE_WRITE_CAPABILITIES: '1' };
const { status } = spawnSync('vitest', ['run', ...files], { stdio: 'inherit', env });
const sheet = JSON.parse(readFileSync(sheetFile, 'utf8')) as CapabilitySheet;
writeFileSync(readme, withCapabilityTable(readFileSync(readme, 'utf8'), sheet));
process.exitCode = status ?? 1;
