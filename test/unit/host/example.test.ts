import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { allConfigKeys } from '../../../packages/host/src/config-schema.ts';
import { configText } from '../../../packages/host/src/config-text.ts';
import { parseConfig } from '../../../packages/host/src/index.ts';
import { readToml } from '../../../packages/host/src/toml-document.ts';

const example = readFileSync(new URL('../../../host.example.toml', import.meta.url), 'utf8');
/** A setting that is commented out has no space after its `#`; prose has one. */
const uncommented = example.replaceAll(/^#(?=\S)/gm, '');
/** opencode runs on a server that is there or on an engine: one of the two at a time. */
const acceptable = uncommented.replace(/^server = "http.*\n/m, '');

describe('host.example.toml', () => {
  it('is what a new host.toml looks like', () => {
    expect(example).toBe(configText({ token: '0123456789abcdef'.repeat(4), port: 41234 }));
  });

  it('is accepted as it is and with everything uncommented', () => {
    expect(parseConfig(example, 'host.example.toml').endpoint.port).toBe(41234);
    expect(parseConfig(acceptable, 'host.example.toml').endpoint.announce).toHaveLength(2);
  });

  it('has every key of the schema and no other', () => {
    const document = readToml(uncommented, 'host.example.toml');
    const named = leaves(document.root);
    expect(allConfigKeys()).toHaveLength(34);
    expect(named.toSorted()).toEqual(allConfigKeys().toSorted());
  });

  it('shows the defaults that the schema has', () => {
    const asIs = parseConfig(example, 'host.example.toml');
    const all = parseConfig(acceptable, 'host.example.toml');
    expect({
      ...all,
      endpoint: { ...all.endpoint, announce: [], hostName: asIs.endpoint.hostName },
      agents: {
        codex: { ...all.agents.codex, server: undefined },
        claude: all.agents.claude,
        opencode: { ...all.agents.opencode, server: undefined, serverPassword: undefined, engine: undefined },
        pi: { ...all.agents.pi, engine: undefined },
        demo: { enabled: undefined },
      },
    }).toEqual(asIs);
  });
});

function leaves(table: Record<string, unknown>, prefix = ''): string[] {
  return Object.entries(table).flatMap(([key, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? leaves(value as Record<string, unknown>, `${prefix}${key}.`)
      : [`${prefix}${key}`],
  );
}
