import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');
const rooms = readdirSync(join(root, 'packages'));

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => path.endsWith('.ts') && statSync(path).isFile());
}

interface Import {
  file: string;
  specifier: string;
  isTypeOnly: boolean;
}

function importsOf(file: string): Import[] {
  const code = readFileSync(file, 'utf8');
  const statements = code.matchAll(/^\s*(?:import|export)\s+(type\s+)?(?:[^;'"]*?\sfrom\s+)?['"]([^'"]+)['"]/gm);
  const dynamic = code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g);
  return [
    ...[...statements].map((match) => ({ file, specifier: match[2] as string, isTypeOnly: match[1] !== undefined })),
    ...[...dynamic].map((match) => ({ file, specifier: match[1] as string, isTypeOnly: false })),
  ];
}

const allImports = new Map(rooms.map((room) => [room, sourceFiles(join(root, 'packages', room, 'src')).flatMap(importsOf)]));
const describeImport = ({ file, specifier }: Import) => `${file.slice(root.length + 1)} imports ${specifier}`;
const importsIn = (room: string) => allImports.get(room) ?? [];

/** The picture in docs/architecture.md. */
function drawnArrows(): Map<string, string[]> {
  const picture = /```imports\n([\s\S]*?)```/.exec(readFileSync(join(root, 'docs/architecture.md'), 'utf8'))?.[1] ?? '';
  const lines = picture.trim().split('\n');
  return new Map(
    lines.map((line) => {
      const [room = '', targets = ''] = line.split('→');
      return [room.trim(), targets.trim().split(/\s+/).filter(Boolean)];
    }),
  );
}

function usedArrows(room: string): string[] {
  const targets = importsIn(room).flatMap(({ specifier }) => /^@heddle\/([^/]+)/.exec(specifier)?.[1] ?? []);
  return [...new Set(targets)].toSorted();
}

describe('the picture of imports', () => {
  it('shows every room', () => {
    expect([...drawnArrows().keys()].toSorted()).toEqual(rooms.toSorted());
  });

  it.each(rooms)('is what %s does, no more and no less', (room) => {
    expect(usedArrows(room)).toEqual(drawnArrows().get(room)?.toSorted());
  });

  it.each(rooms)('is what the package.json of %s says', (room) => {
    const { dependencies = {} } = JSON.parse(readFileSync(join(root, 'packages', room, 'package.json'), 'utf8')) as {
      dependencies?: Record<string, string>;
    };
    const declared = Object.keys(dependencies).flatMap((name) => /^@heddle\/(.+)/.exec(name)?.[1] ?? []);
    expect(declared.toSorted()).toEqual(usedArrows(room));
  });

  it.each(rooms)('is not got round by paths in %s', (room) => {
    const home = join(root, 'packages', room, 'src');
    const outside = importsIn(room).filter(
      ({ file, specifier }) => specifier.startsWith('.') && !resolve(dirname(file), specifier).startsWith(home),
    );
    const allowed = outside.filter(({ specifier }) => !specifier.endsWith('/package.json'));
    expect(allowed.map(describeImport)).toEqual([]);
  });
});

describe('what a room must not import', () => {
  const nodeImports = (imports: Import[]) => imports.filter(({ specifier }) => specifier.startsWith('node:')).map(describeImport);

  it.each(['wire', 'rpc'])('%s: nothing of Node, since it runs in browsers too', (room) => {
    expect(nodeImports(importsIn(room))).toEqual([]);
  });

  it('client: nothing of Node, but for its Node entry', () => {
    expect(nodeImports(importsIn('client').filter(({ file }) => !file.endsWith('/src/node.ts')))).toEqual([]);
  });

  it.each(['host', 'bridge-kit', 'bridges', 'control', 'daemon', 'cli'])('%s: libp2p', (room) => {
    const wrong = importsIn(room).filter(({ specifier }) => /libp2p|multiaddr/.test(specifier));
    expect(wrong.map(describeImport)).toEqual([]);
  });

  it('rpc: libp2p, but for its types', () => {
    const wrong = importsIn('rpc').filter(
      ({ specifier, isTypeOnly }) => /libp2p/.test(specifier) && !specifier.startsWith('.') && !isTypeOnly,
    );
    expect(wrong.map(describeImport)).toEqual([]);
  });

  it('bridges: one agent another', () => {
    const home = join(root, 'packages/bridges/src');
    const agentOf = (path: string) => path.slice(home.length + 1).split('/')[0];
    const wrong = importsIn('bridges').filter(({ file, specifier }) => {
      if (!specifier.startsWith('.') || dirname(file) === home) return false;
      const target = resolve(dirname(file), specifier);
      return agentOf(target) !== agentOf(file) && target !== join(home, 'capabilities.ts');
    });
    expect(wrong.map(describeImport)).toEqual([]);
  });
});
